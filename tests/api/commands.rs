//! The program as a process: what it prints, and how it exits.

use rstest::rstest;

use crate::harness::{PASSWORD, PROFILE_KEY, eventually, file};
use crate::process::{self, Running, open_chat};

/// Runs the program to its end.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    process::run(&mut open_chat(arguments, variables))
}

const LOGIN: [(&str, &str); 2] = [("CHATHUB_LOGIN", "acme"), ("CHATHUB_PASSWORD", PASSWORD)];

const DEVICE: (&str, &str) = (
    "DEVICE_SECRET",
    "canary-device-secret-of-more-than-32-bytes",
);

/// The address is no machine's, so nothing is ever open there.
#[rstest]
#[case("192.0.2.1:9", "", true)]
#[case("192.0.2.1:9", "127.0.0.1:0", false)]
#[case("127.0.0.1:0", "192.0.2.1:9", false)]
fn a_start_warns_of_metrics_that_are_for_everyone(
    #[case] listen: &str,
    #[case] ops_listen: &str,
    #[case] is_warned: bool,
) {
    let variables = [
        LOGIN[0],
        LOGIN[1],
        ("ACCESS", "open"),
        ("LISTEN", listen),
        ("OPS_LISTEN", ops_listen),
    ];
    let (code, text) = run(&["serve"], &variables);
    assert_eq!(code, Some(1), "{text}");
    let words =
        "OPS_LISTEN is not set: /metrics, /healthz and /readyz are for anyone who can reach LISTEN";
    assert_eq!(text.contains(words), is_warned, "{text}");
}

/// Whether replicas share what was used once is not known to the program, so it says so at once.
#[test]
fn a_start_warns_of_proofs_that_count_in_each_replica() {
    let section =
        "[kommo]\naccounts = [\"acme.kommo.com\"]\nsecret = \"canary-kommo-0123456789\"\n";
    let connectors = file("start-connectors.toml", section);
    let variables = [
        LOGIN[0],
        LOGIN[1],
        ("ACCESS", "pass"),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("PUBLIC_URL", "https://chat.example"),
        ("LISTEN", "192.0.2.1:9"),
    ];
    let words = "CONNECTORS_FILE: REDIS_URL is not set: what a CRM proves for one use";
    let (code, text) = run(&["serve"], &variables);
    assert_eq!(code, Some(1), "{text}");
    assert!(!text.contains(words), "{text}");
    let path = [("CONNECTORS_FILE", connectors.to_str().unwrap())];
    let (code, text) = run(&["serve"], &[&variables[..], &path].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(words), "{text}");
}

#[rstest]
#[case::no_access(&[("ACCESS", "")], &["ACCESS: must be set"])]
#[case::unknown_access(&[("ACCESS", "everyone")], &["ACCESS: `everyone` is not one of pass, sso, key, device, open"])]
#[case::no_credentials(&[("CHATHUB_LOGIN", ""), ("CHATHUB_PASSWORD", " ")], &["CHATHUB_LOGIN: must be set"])]
#[case::half_a_login(&[("CHATHUB_LOGIN", "")], &["CHATHUB_LOGIN: must be set with CHATHUB_PASSWORD"])]
#[case::no_password(&[("CHATHUB_PASSWORD", "")], &["CHATHUB_PASSWORD: must be set with CHATHUB_LOGIN"])]
#[case::both(&[("CHATHUB_API_KEY", PROFILE_KEY)], &["CHATHUB_API_KEY: is set beside CHATHUB_LOGIN"])]
#[case::url(&[("CHATHUB_URL", "http://chatapi.example")], &["CHATHUB_URL: must begin with https://"])]
#[case::panel(&[("CHAT_PANEL_URL", "chat.smsbat.com")], &["CHAT_PANEL_URL: is not a URL"])]
#[case::language(&[("DEFAULT_LANGUAGE", "ru")], &["DEFAULT_LANGUAGE: neither `en` nor `uk`"])]
#[case::region(&[("DEFAULT_REGION", "XX")], &["DEFAULT_REGION: not a region"])]
#[case::senders(&[("SENDERS", "vibr=Acme")], &["SENDERS: `vibr` is not a source"])]
#[case::source(&[("SOURCE_WITHOUT_SENDER", "maybe")], &["SOURCE_WITHOUT_SENDER: neither"])]
#[case::ttl_too_long(&[("TOKEN_TTL", "24h")], &["TOKEN_TTL: must be from 1m to 23h55m"])]
#[case::ttl_too_short(&[("TOKEN_TTL", "59s")], &["TOKEN_TTL: must be from 1m to 23h55m"])]
#[case::ttl(&[("TOKEN_TTL", "soon")], &["TOKEN_TTL: not a duration"])]
#[case::timeout(&[("CHATHUB_CONNECT_TIMEOUT", "0s")], &["CHATHUB_CONNECT_TIMEOUT: not a duration"])]
#[case::attempt(&[("CHATHUB_ATTEMPT_TIMEOUT", "2")], &["CHATHUB_ATTEMPT_TIMEOUT: not a duration"])]
#[case::shutdown(&[("SHUTDOWN_TIMEOUT", "-1s")], &["SHUTDOWN_TIMEOUT: not a duration"])]
#[case::confirm(&[("CONFIRM", "sometimes")], &["CONFIRM: not one of `never`, `crawlers`, `always`"])]
#[case::brand(&[("BRAND_NAME", "two\nlines")], &["BRAND_NAME: must be one line"])]
#[case::logo(&[("LOGO_FILE", "/nowhere/logo.png")], &["LOGO_FILE: the file /nowhere/logo.png cannot be used"])]
#[case::no_logo(&[("LOGO_FILE", "clippy.toml")], &["LOGO_FILE: the file clippy.toml is neither a PNG nor an SVG"])]
#[case::contact(&[("SUPPORT_CONTACT", "https://")], &["SUPPORT_CONTACT: not a web address"])]
#[case::crm(&[("CRM_URL", "javascript:alert(1)")], &["CRM_URL: not a web address"])]
#[case::builder(&[("LINK_BUILDER", "maybe")], &["LINK_BUILDER: neither `on` nor `off`"])]
#[case::listen(&[("LISTEN", "8080")], &["LISTEN: not an address with a port"])]
#[case::ops_listen(&[("OPS_LISTEN", "localhost")], &["OPS_LISTEN: not an address"])]
#[case::redis(&[("REDIS_URL", "http://:canary@127.0.0.1")], &["REDIS_URL: not a Redis URL"])]
#[case::quota(&[("RATE_LIMIT_CLIENT", "many")], &["RATE_LIMIT_CLIENT: not a number of clicks in a time"])]
#[case::networks(&[("ALLOWED_NETWORKS", "10.0.0.0/33")], &["ALLOWED_NETWORKS: `10.0.0.0/33` is not a network"])]
#[case::half_a_pass(&[("ACCESS", "pass")], &["PASS_SECRET: must be set for ACCESS=pass"])]
#[case::half_an_sso(&[("ACCESS", "sso")], &["SSO_HEADER: must be set", "TRUSTED_PROXIES: must be set"])]
#[case::sso_for_a_network(&[("ACCESS", "sso"), ("SSO_HEADER", "X-User"), ("TRUSTED_PROXIES", "10.1.2.3,10.244.0.0/16")], &["SSO_PROXY_SECRET: must be set, with 16 characters or more, where TRUSTED_PROXIES has a network (10.244.0.0/16)"])]
#[case::sso_for_everybody(&[("ACCESS", "pass,sso"), ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"), ("SSO_HEADER", "X-User"), ("TRUSTED_PROXIES", "0.0.0.0/0")], &["SSO_PROXY_SECRET: must be set", "TRUSTED_PROXIES"])]
#[case::sso_for_a_network_of_version_6(&[("ACCESS", "sso"), ("SSO_HEADER", "X-User"), ("TRUSTED_PROXIES", "fd00::/127")], &["SSO_PROXY_SECRET: must be set", "TRUSTED_PROXIES"])]
#[case::short_proxy_secret(&[("ACCESS", "sso"), ("SSO_HEADER", "X-User"), ("TRUSTED_PROXIES", "10.1.2.3"), ("SSO_PROXY_SECRET", "canary-15-chars")], &["SSO_PROXY_SECRET: must have at least 16 characters"])]
#[case::proxy_secret_that_no_header_carries(&[("ACCESS", "sso"), ("SSO_HEADER", "X-User"), ("TRUSTED_PROXIES", "10.1.2.3"), ("SSO_PROXY_SECRET", " canary-proxy-secret")], &["SSO_PROXY_SECRET: must not begin or end with white space"])]
#[case::no_header_name(&[("SSO_HEADER", "X-Auth Request")], &["SSO_HEADER: not a header's name"])]
#[case::header_of_the_secret(&[("SSO_HEADER", "x-proxy-secret")], &["SSO_HEADER: means something else already"])]
#[case::header_of_the_address(&[("SSO_HEADER", "X-Forwarded-For")], &["SSO_HEADER: means something else already"])]
#[case::header_of_credentials(&[("SSO_HEADER", "Authorization")], &["SSO_HEADER: means something else already"])]
#[case::header_that_browsers_send(&[("SSO_HEADER", "Sec-Fetch-User")], &["SSO_HEADER: means something else already"])]
#[case::by_name(&[("SSO_BY_NAME", "yes")], &["SSO_BY_NAME: neither `on` nor `off`"])]
#[case::half_a_key(&[("ACCESS", "key,open")], &["API_KEYS_FILE: must be set"])]
#[case::short_secret(&[("ACCESS", "pass"), ("PASS_SECRET", "canary")], &["PASS_SECRET: the secret must have at least 32 bytes"])]
#[case::no_keys(&[("ACCESS", "pass"), ("PASS_KEYS_FILE", "/nowhere/keys.toml")], &["PASS_KEYS_FILE: the file /nowhere/keys.toml cannot be used"])]
#[case::half_a_device(&[("ACCESS", "device")], &["PUBLIC_URL: must be set for ACCESS=device", "DEVICE_SECRET: must be set for ACCESS=device"])]
#[case::device_without_an_address(&[("ACCESS", "device"), DEVICE], &["PUBLIC_URL: must be set for ACCESS=device"])]
#[case::device_at_a_path(&[("ACCESS", "device"), DEVICE, ("PUBLIC_URL", "https://chat.example/desk")], &["PUBLIC_URL: must have no path and no query with ACCESS=device"])]
#[case::device_at_a_query(&[("ACCESS", "device"), DEVICE, ("PUBLIC_URL", "https://chat.example/?desk")], &["PUBLIC_URL: must have no path and no query"])]
#[case::device_in_the_clear(&[("ACCESS", "device"), DEVICE, ("PUBLIC_URL", "http://chat.example")], &["PUBLIC_URL: must begin with https://"])]
#[case::short_device_secret(&[("DEVICE_SECRET", "canary-device-secret-31-bytes..")], &["DEVICE_SECRET: line 1: a key has at least 32 bytes"])]
#[case::device_secret_that_signs_passes(&[DEVICE, ("PASS_SECRET", DEVICE.1)], &["DEVICE_SECRET: has a key that is also a key of passes"])]
#[case::device_secret_of_chathub(&[DEVICE, ("CHATHUB_PASSWORD", DEVICE.1)], &["DEVICE_SECRET: has a key that is also the company's password or key for ChatHub"])]
#[case::device_secret_of_redis(&[DEVICE, ("REDIS_URL", "redis://:canary-device-secret-of-more-than-32-bytes@127.0.0.1:1/0")], &["DEVICE_SECRET: has a key that is also the password in REDIS_URL"])]
#[case::device_secret_of_redis_encoded(&[DEVICE, ("REDIS_URL", "rediss://user:%63anary-device-secret-of-more-than-32%2Dbytes@127.0.0.1:1/0")], &["DEVICE_SECRET: has a key that is also the password in REDIS_URL"])]
#[case::device_secret_of_the_proxy(&[DEVICE, ("SSO_PROXY_SECRET", DEVICE.1)], &["DEVICE_SECRET: has a key that is also SSO_PROXY_SECRET"])]
#[case::device_ttl_too_short(&[("DEVICE_TTL", "59m")], &["DEVICE_TTL: must be from 1h to 400d"])]
#[case::device_ttl_too_long(&[("DEVICE_TTL", "401d")], &["DEVICE_TTL: must be from 1h to 400d"])]
#[case::no_revocations(&[("DEVICES_REVOKED_FILE", "/nowhere/revoked.toml")], &["DEVICES_REVOKED_FILE: the file /nowhere/revoked.toml cannot be used"])]
#[case::no_such_revocations(&[("DEVICES_REVOKED_FILE", "clippy.toml")], &["DEVICES_REVOKED_FILE: the file clippy.toml: see line 1: unknown field"])]
#[case::collector(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:canary@collector:4318")], &["OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL that begins with http"])]
#[case::collector_without_a_host(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:canary@")], &["OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL that begins with http"])]
#[case::collector_of_traces(
    &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://otel:canary@collector :4318")],
    &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "]
)]
#[case::collector_of_spaces(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:canary@127.0.0.1:9/a path")], &["OTEL_EXPORTER_OTLP_ENDPOINT: "])]
#[case::protocol(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], &["OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf"])]
#[case::protocol_of_traces(
    &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")],
    &["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: must be http/protobuf"]
)]
#[case::log_format(&[("LOG_FORMAT", "xml")], &["LOG_FORMAT: neither `json` nor `text`"])]
#[case::log_phones(&[("LOG_PHONES", "all")], &["LOG_PHONES: neither"])]
#[case::filter(&[("RUST_LOG", "open_chat=loud=very")], &["RUST_LOG: not a log filter"])]
#[case::max_rate(&[("CHATHUB_MAX_RATE", "0")], &["CHATHUB_MAX_RATE: not a number of requests a second, 1 to 10000"])]
#[case::budget(&[("CLICK_BUDGET", "0s")], &["CLICK_BUDGET: not a duration"])]
#[case::no_connectors(&[("ACCESS", "pass"), ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"), ("PUBLIC_URL", "https://chat.example"), ("CONNECTORS_FILE", "/nowhere/connectors.toml")], &["CONNECTORS_FILE: the file /nowhere/connectors.toml cannot be used"])]
#[case::refresh(&[("DIRECTORY_REFRESH", "0s")], &["DIRECTORY_REFRESH: not a duration"])]
#[case::drain(&[("DRAIN_DELAY", "5")], &["DRAIN_DELAY: not a duration"])]
#[case::fallback(&[("FALLBACK", "panel")], &["FALLBACK: neither `page` nor `login`"])]
#[case::connections(&[("MAX_CONNECTIONS", "0")], &["MAX_CONNECTIONS: not a number of connections, 1 to 1000000"])]
#[case::auto(&[("OPERATOR_AUTO", "24")], &["OPERATOR_AUTO: neither `on` nor `off`"])]
#[case::no_map(&[("OPERATOR_MAP_FILE", "/nowhere/map.toml")], &["OPERATOR_MAP_FILE: the file /nowhere/map.toml cannot be used"])]
#[case::sampler(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_TRACES_SAMPLER", "sometimes")], &["OTEL_TRACES_SAMPLER: not one of always_on, always_off"])]
#[case::sampled_part(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "1.1")], &["OTEL_TRACES_SAMPLER_ARG: not a ratio"])]
#[case::pass_ttl(&[("PASS_MAX_TTL", "a day")], &["PASS_MAX_TTL: not a duration"])]
#[case::public_url(&[("PUBLIC_URL", "chat.example")], &["PUBLIC_URL: is not a URL"])]
#[case::quota_of_operators(&[("RATE_LIMIT_OPERATOR", "0/m")], &["RATE_LIMIT_OPERATOR: not a number of clicks in a time"])]
#[case::quota_of_refused(&[("RATE_LIMIT_REFUSED", "30")], &["RATE_LIMIT_REFUSED: not a number of clicks in a time"])]
#[case::source_from_link(&[("SOURCE_FROM_LINK", "yes")], &["SOURCE_FROM_LINK: neither `on` nor `off`"])]
#[case::cache_size(&[("TOKEN_CACHE_SIZE", "0")], &["TOKEN_CACHE_SIZE: not a number of operators"])]
#[case::reuse(&[("TOKEN_REUSE", "ever")], &["TOKEN_REUSE: not a duration"])]
#[case::validate(&[("TOKEN_VALIDATE", "1")], &["TOKEN_VALIDATE: neither `on` nor `off`"])]
#[case::told_of_traces(&[("TRACE_CHATHUB", "true")], &["TRACE_CHATHUB: neither `on` nor `off`"])]
#[case::proxies(&[("TRUSTED_PROXIES", "proxy.example")], &["TRUSTED_PROXIES: `proxy.example` is not a network"])]
#[case::proxy_secret_twice(&[("SSO_PROXY_SECRET", "canary-proxy-secret"), ("SSO_PROXY_SECRET_FILE", "/nowhere/secret")], &["SSO_PROXY_SECRET: is set twice, also by SSO_PROXY_SECRET_FILE"])]
#[case::no_login_file(&[("CHATHUB_LOGIN", ""), ("CHATHUB_LOGIN_FILE", "/nowhere/login")], &["CHATHUB_LOGIN: the file /nowhere/login cannot be used"])]
#[case::no_password_file(&[("CHATHUB_PASSWORD", ""), ("CHATHUB_PASSWORD_FILE", "/nowhere/password")], &["CHATHUB_PASSWORD: the file /nowhere/password cannot be used"])]
#[case::no_key_file(&[("CHATHUB_LOGIN", ""), ("CHATHUB_PASSWORD", ""), ("CHATHUB_API_KEY_FILE", "/nowhere/key")], &["CHATHUB_API_KEY: the file /nowhere/key cannot be used"])]
#[case::no_device_secret_file(&[("DEVICE_SECRET_FILE", "/nowhere/device")], &["DEVICE_SECRET: the file /nowhere/device cannot be used"])]
#[case::no_pass_secret_file(&[("ACCESS", "pass"), ("PASS_SECRET_FILE", "/nowhere/pass")], &["PASS_SECRET: the file /nowhere/pass cannot be used"])]
#[case::no_redis_file(&[("REDIS_URL_FILE", "/nowhere/redis")], &["REDIS_URL: the file /nowhere/redis cannot be used"])]
#[case::no_proxy_secret_file(&[("SSO_PROXY_SECRET_FILE", "/nowhere/proxy")], &["SSO_PROXY_SECRET: the file /nowhere/proxy cannot be used"])]
#[case::all_at_once(&[("ACCESS", ""), ("LISTEN", "x"), ("TOKEN_TTL", "x")], &["ACCESS:", "\nLISTEN:", "TOKEN_TTL:"])]
fn a_bad_setting_stops_the_start_by_name(#[case] bad: &[(&str, &str)], #[case] words: &[&str]) {
    let mut variables = vec![("ACCESS", "open"), ("LISTEN", "127.0.0.1:0")];
    variables.extend(LOGIN);
    variables.extend(bad);
    let (code, text) = run(&["serve"], &variables);
    assert_eq!(code, Some(78), "{text}");
    for word in words {
        // The order of the list is the code's; each problem stands on a line of its own.
        assert!(text.contains(word.trim_start()), "{text}");
    }
    assert!(!text.contains("canary"), "{text}");
}

/// A setting, the last value that is good, and the first beyond it that is not.
const LOWER_BOUNDS: [(&str, &str, &str); 13] = [
    ("CHATHUB_ATTEMPT_TIMEOUT", "1ms", "0s"),
    ("CHATHUB_CONNECT_TIMEOUT", "1ms", "0s"),
    ("CHATHUB_MAX_RATE", "1", "0"),
    ("CLICK_BUDGET", "1ms", "0s"),
    ("DEVICE_TTL", "1h", "59m 59s"),
    ("DIRECTORY_REFRESH", "1ms", "0s"),
    ("MAX_CONNECTIONS", "1", "0"),
    ("OTEL_TRACES_SAMPLER_ARG", "0", "-0.1"),
    ("PASS_MAX_TTL", "1s", "0s"),
    ("RATE_LIMIT_CLIENT", "1/h", "0/h"),
    ("SHUTDOWN_TIMEOUT", "1ms", "0s"),
    ("TOKEN_CACHE_SIZE", "1", "0"),
    ("TOKEN_TTL", "1m", "59s"),
];

const SIXTY: &str = "їїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїї";
const SIXTY_ONE: &str = "їїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїїї";

const UPPER_BOUNDS: [(&str, &str, &str); 13] = [
    ("BRAND_NAME", SIXTY, SIXTY_ONE),
    ("CHATHUB_ATTEMPT_TIMEOUT", "100y", "101y"),
    ("CHATHUB_MAX_RATE", "10000", "10001"),
    ("CLICK_BUDGET", "100y", "584542046090y"),
    ("DEVICE_TTL", "400d", "400d 1s"),
    ("DIRECTORY_REFRESH", "100y", "101y"),
    ("DRAIN_DELAY", "100y", "101y"),
    ("MAX_CONNECTIONS", "1000000", "1000001"),
    ("OTEL_TRACES_SAMPLER_ARG", "1", "1.1"),
    ("RATE_LIMIT_OPERATOR", "4294967295/s", "4294967296/s"),
    (
        "TOKEN_CACHE_SIZE",
        "18446744073709551615",
        "18446744073709551616",
    ),
    ("TOKEN_REUSE", "100y", "101y"),
    ("TOKEN_TTL", "23h55m", "23h55m1s"),
];

#[rstest]
#[case::lower(&LOWER_BOUNDS)]
#[case::upper(&UPPER_BOUNDS)]
fn a_setting_is_good_up_to_its_bound(#[case] bounds: &[(&str, &str, &str)]) {
    let traces = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
    ];
    let problems = |values: Vec<(&str, &str)>| {
        // Without ACCESS it does not start, whatever else is good.
        let (code, text) = run(&["serve"], &[&LOGIN[..], &traces, &values].concat());
        assert_eq!(code, Some(78), "{text}");
        assert!(!text.contains("canary"), "{text}");
        let lines = text
            .lines()
            .map(|line| line.trim_start_matches("open-chat: "));
        let names = lines.filter_map(|line| Some(line.split_once(": ")?.0.to_owned()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let good = bounds.iter().map(|(name, good, _)| (*name, *good));
    assert_eq!(problems(good.collect()), ["ACCESS"]);
    let bad = bounds.iter().map(|(name, _, bad)| (*name, *bad));
    let mut expected: Vec<_> = bounds.iter().map(|(name, ..)| *name).collect();
    expected.insert(0, "ACCESS");
    assert_eq!(problems(bad.collect()), expected);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named_or_ignored() {
    use std::os::unix::ffi::OsStrExt as _;
    let broken = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let mut command = open_chat(&["serve"], &LOGIN);
    let (code, text) = process::run(command.env("SENDERS", broken).env("SOMEBODY_ELSES", broken));
    assert_eq!(code, Some(78));
    assert!(text.contains("SENDERS: is not UTF-8"), "{text}");
    assert!(!text.contains("SOMEBODY_ELSES"), "{text}");
}

#[test]
fn secrets_come_from_files_too() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (good, empty) = (directory.join("password"), directory.join("empty"));
    std::fs::write(&good, format!("{PASSWORD}\n")).unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let (good, empty) = (good.to_str().unwrap(), empty.to_str().unwrap());
    let serve = |file: &str, extra: &[(&str, &str)]| {
        let mut variables = vec![("CHATHUB_LOGIN", "acme"), ("CHATHUB_PASSWORD_FILE", file)];
        variables.extend(extra);
        run(&["serve"], &variables)
    };
    // Only ACCESS is missing: the file was read.
    let (code, text) = serve(good, &[]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("ACCESS:") && !text.contains("CHATHUB"),
        "{text}"
    );

    let twice = serve(good, &[("CHATHUB_PASSWORD", PASSWORD)]).1;
    assert!(twice.contains("CHATHUB_PASSWORD: is set twice"), "{twice}");
    let missing = serve("/nowhere/password", &[]).1;
    assert!(
        missing.contains("CHATHUB_PASSWORD: the file /nowhere/password cannot be used"),
        "{missing}"
    );
    let empty = serve(empty, &[]).1;
    assert!(
        empty.contains("CHATHUB_PASSWORD: the file") && empty.contains("it is empty"),
        "{empty}"
    );
    assert!(!format!("{text}{twice}{missing}{empty}").contains("canary"));
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let variables = [("ACCESS", "open"), ("LISTEN", &address), LOGIN[0], LOGIN[1]];
    let port = address.rsplit_once(':').unwrap().1;
    for arguments in [
        &["serve"][..],
        &["demo", "--port", port],
        &["simulate", "--port", port],
    ] {
        let (code, text) = run(arguments, &variables);
        assert_eq!(code, Some(1));
        assert!(
            text.contains(&format!("cannot listen on {address}")),
            "{text}"
        );
    }
}

#[test]
fn an_address_without_its_scheme_is_told_how_one_looks() {
    let (code, text) = run(&["health", "127.0.0.1:8080"], &[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("such as http://127.0.0.1:8080"), "{text}");
}

#[tokio::test]
async fn the_demo_s_urls_do_what_it_says() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let click = client.get(demo.url("source=0")).send().await.unwrap();
    assert_eq!(click.status(), 302);
    let location = click.headers()["location"].to_str().unwrap();
    assert!(
        location.contains("/?source=0&from=Acme&phone=%2B380501234567&token="),
        "{location}"
    );
    let panel = client
        .get(location)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(panel.contains("101 · John Smith"), "{panel}");

    let refusal = client.get(demo.url("phone=12345")).send().await.unwrap();
    assert_eq!(refusal.status(), 400);
    let page = client.get(demo.url("/demo")).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Olena Example"));

    let address = demo.url("/demo").replace("/demo", "");
    let root = client.get(format!("{address}/")).send().await.unwrap();
    assert_eq!(
        (
            root.status().as_u16(),
            root.headers()["location"].as_bytes()
        ),
        (302, &b"/demo"[..])
    );

    is_healthy(&address).await;
    drop(demo);
    let (code, text) = run(&["health", &address], &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("nothing answers"), "{text}");
}

/// A browser that follows a link, in a tab of its own.
async fn navigate(request: reqwest::RequestBuilder) -> reqwest::Response {
    let request = request
        .header("Sec-Fetch-Site", "same-origin")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document");
    request.send().await.unwrap()
}

/// Each time that the page is shown it has a new invitation; a browser stays paired when the demo
/// is started again.
#[tokio::test]
async fn the_demo_pairs_a_browser() {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let start = || {
        let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
        let address = demo.url("/demo").replace("/demo", "");
        (demo, address)
    };
    let (demo, address) = start();
    let invitation = async || {
        let page = client.get(format!("{address}/demo")).send().await.unwrap();
        let page = page.text().await.unwrap();
        let (_, link) = page.split_once("href=\"/pair?invitation=").unwrap();
        link.split('"').next().unwrap().to_owned()
    };
    let (first, second) = (invitation().await, invitation().await);
    assert!(first != second && first.len() > 40);
    let pair = format!("{address}/pair?invitation={first}");
    let page = navigate(client.get(&pair)).await.text().await.unwrap();
    assert!(page.contains("<strong>John Smith</strong>"), "{page}");
    let paired = navigate(client.post(&pair)).await;
    assert_eq!(paired.status(), 303);
    let cookie = paired.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("open-chat-device="), "another cookie");
    let cookie = cookie.split(';').next().unwrap();

    drop(demo);
    let (_demo, address) = start();
    let click = format!("{address}/open-chat?phone=0501234567&source=viber");
    assert_eq!(navigate(client.get(&click)).await.status(), 400);
    let chat = navigate(client.get(&click).header("Cookie", cookie)).await;
    assert_eq!(chat.status(), 302);
    let location = chat.headers()["location"].to_str().unwrap();
    assert!(location.contains("/?source=0&from=Acme&phone=%2B380501234567&token="));
}

/// It has 2 s for its question, which may be too short for a busy machine.
async fn is_healthy(url: &str) {
    eventually("it is healthy", async || {
        run(&["health", url], &[]) == (Some(0), String::new())
    })
    .await;
}

#[tokio::test]
async fn a_host_is_healthy_at_any_of_its_addresses() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    // Where localhost is ::1 as well, and before, nobody listens there.
    let url = demo.url("/demo").replace("127.0.0.1", "localhost");
    is_healthy(&url).await;
}

#[tokio::test]
async fn the_simulator_runs_alone() {
    let simulator = Running::start(
        &mut open_chat(&["simulate", "--port", "0", "--operators", "5"], &[]),
        "simulated at",
    );
    let url = simulator.url("/");
    let operators = reqwest::Client::new()
        .get(format!("{url}api/operator?organizationId=24"))
        .header("X-Authorization-Key", "demo-profile-key")
        .send()
        .await
        .unwrap();
    let operators: serde_json::Value =
        serde_json::from_str(&operators.text().await.unwrap()).unwrap();
    let ids: Vec<_> = operators
        .as_array()
        .unwrap()
        .iter()
        .map(|operator| &operator["id"])
        .collect();
    assert_eq!(ids, [101, 102, 103, 104, 105]);
}

#[test]
fn the_command_line_helps() {
    let (code, text) = run(&["--help"], &[]);
    assert_eq!(code, Some(0));
    for command in ["serve", "demo", "simulate", "health"] {
        assert!(text.contains(command), "{text}");
    }
    let (code, text) = run(&["serv"], &[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("serve"), "{text}");
}
