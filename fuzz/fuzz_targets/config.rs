//! The environment, a line a variable: read, or refused with the variable's name, and a secret is
//! in no error and no `Debug`. What a variable that names a file is given is the file's text, with
//! `\n` for a line end.
#![no_main]

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use open_chat::config::Config;

const CANARY: &str = "canary-of-more-than-thirty-two-bytes";

const SECRETS: [&str; 6] = [
    "CHATHUB_API_KEY",
    "CHATHUB_LOGIN",
    "CHATHUB_PASSWORD",
    "PASS_SECRET",
    "REDIS_URL",
    "SSO_PROXY_SECRET",
];

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    Config::variables()
        .into_iter()
        .map(|(name, _)| name)
        .collect()
});

/// Of this process, so that several can run at once.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("open-chat-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
});

fuzz_target!(|input: &str| {
    let mut vars: Vec<(String, String)> = Vec::new();
    for line in input.lines() {
        // An environment has no NUL, and each name once.
        let Some((name, value)) = line.split_once('=').filter(|_| !line.contains('\0')) else {
            continue;
        };
        if !vars.iter().any(|(known, _)| known == name) {
            vars.push((name.to_owned(), with_canary(name, value)));
        }
    }
    check(&vars);
});

/// The value, with the canary in the place of what opens something.
fn with_canary(name: &str, value: &str) -> String {
    let is_blank = value.trim().is_empty();
    if SECRETS.contains(&name) && !is_blank {
        return format!("{value}{CANARY}");
    }
    if !name.ends_with("_FILE") || is_blank || !NAMES.iter().any(|known| known == name) {
        return value.to_owned();
    }
    let is_secret = name
        .strip_suffix("_FILE")
        .is_some_and(|name| SECRETS.contains(&name));
    let text = if is_secret {
        format!("{value}{CANARY}")
    } else {
        value.replace("secret = \"", &format!("secret = \"{CANARY}"))
    };
    let file = DIRECTORY.join(name);
    std::fs::write(&file, text.replace("\\n", "\n")).unwrap();
    file.into_os_string().into_string().unwrap()
}

fn check(vars: &[(String, String)]) {
    let read = |more: &[(&str, &str)]| {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let pairs = vars.iter().cloned().chain(more);
        Config::from_vars(pairs.map(|(name, value)| (OsString::from(name), OsString::from(value))))
    };
    let value = |name: &str| {
        let value = vars.iter().find(|(known, _)| known == name)?.1.trim();
        (!value.is_empty()).then_some(value)
    };
    let config = match read(&[]) {
        Ok(config) => config,
        Err(error) => {
            assert!(error.problems().next().is_some());
            for problem in error.problems() {
                let (variable, what) = problem.split_once(": ").expect("a name and a sentence");
                assert!(NAMES.iter().any(|name| name == variable), "{problem}");
                assert!(!what.is_empty());
                assert!(!problem.contains(CANARY), "{problem}");
            }
            assert!(!format!("{error:?}").contains(CANARY));
            return;
        }
    };

    // The door is locked, or somebody has said that it is not to be.
    let access = value("ACCESS").expect("nobody said who may open whose panel");
    assert_eq!(
        config.access.authenticator.is_open(),
        access.contains("open")
    );
    let is_set = |name: &str| value(name).is_some() || value(&format!("{name}_FILE")).is_some();
    assert!(is_set("CHATHUB_API_KEY") != (is_set("CHATHUB_LOGIN") && is_set("CHATHUB_PASSWORD")));
    if access.contains("pass") {
        assert!(is_set("PASS_SECRET") || is_set("PASS_KEYS"));
    }
    if access.contains("sso") {
        assert!(is_set("SSO_HEADER") && is_set("TRUSTED_PROXIES"));
        assert!(is_set("SSO_PROXY_SECRET") || config.access.reliance().is_some());
    }
    assert!(!access.contains("key") || is_set("API_KEYS"));

    // A secret goes to places that are this machine or are reached by https.
    for url in [&config.chathub.url, &config.widget.script] {
        assert!(
            url.as_url().scheme() == "https" || url.is_loopback(),
            "{url:?}"
        );
    }
    assert!(config.links.panel.origin().starts_with("http"));
    // What is written into a header must not end it, or the directive that it is in.
    for sources in [&config.widget.frame_ancestors, &config.widget.sources] {
        assert!(!sources.contains([';', ',', '\r', '\n']), "{sources}");
    }
    let ttl = config.tokens.ttl;
    assert!(
        (Duration::from_mins(1)..Duration::from_hours(24)).contains(&ttl),
        "{ttl:?}"
    );
    assert!(!config.click_budget.is_zero() && config.chathub.max_rate > 0);

    let shown = shown(&config);
    assert!(!shown.contains(CANARY), "{shown}");
    // What is not ours, or blank, changes nothing.
    let again = read(&[("PATH", "\u{1b}"), ("OPEN_CHAT", "1"), ("access", "open")]);
    assert_eq!(again.ok().map(|again| self::shown(&again)), Some(shown));
}

/// All that can be shown of it.
fn shown(config: &Config) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        config.server,
        config.chathub,
        config.links,
        config.pages,
        config.tokens,
        config.redis.url,
        config.limits,
        config.logs,
        config.traces,
        config.widget
    )
}
