//! Files of keys, maps and secrets while the service runs: emptied, removed, hanging, too long, no
//! files at all.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chathub_simulator::Endpoint;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rstest::rstest;
use serde_json::json;

use crate::access::pem;
use crate::harness::{PASSWORD, Service, eventually, file, log, rules};
use crate::process::{self, open_chat};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const OTHER_SECRET: &str = "canary-other-secret-of-more-than-32-bytes";
const CLICK: &str = "operator=101&phone=0501234567";

/// A click with a pass that was signed with this secret.
fn with_pass(kid: &str, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    signed(Algorithm::HS256, kid, &key)
}

fn signed(algorithm: Algorithm, kid: &str, key: &EncodingKey) -> String {
    let claims = json!({"sub": "101", "exp": chrono::Utc::now().timestamp() + 600});
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned()).filter(|kid| !kid.is_empty());
    let pass = jsonwebtoken::encode(&header, &claims, key).unwrap();
    format!("phone=0501234567&pass={pass}")
}

fn key_entry(id: &str, secret: &str) -> String {
    format!("[[key]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{secret}\"\n")
}

fn api_keys() -> String {
    // `printf canary-api-key | sha256sum`
    let sha256 = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";
    format!("[[key]]\nname = \"odoo\"\nsha256 = \"{sha256}\"\n")
}

fn failed(variable: &str) -> String {
    format!("open_chat_file_reload_failed{{file=\"{variable}\"}}")
}

async fn gauge_tells(service: &Service, variable: &str, value: i64) {
    let series = failed(variable);
    eventually("the gauge tells", async || {
        let metrics = service.ops("/metrics").await.text().await.unwrap();
        metrics.contains(&format!("{series} {value}\n"))
    })
    .await;
}

/// A key that has leaked is taken out, and it is the last one.
#[rstest]
#[case::keys_emptied("PASS_KEYS_FILE", &key_entry("crm", SECRET), "")]
#[case::keys_commented_out("PASS_KEYS_FILE", &key_entry("crm", SECRET), "# none today\n")]
#[case::secret_emptied("PASS_SECRET_FILE", SECRET, "\n")]
#[case::secret_blank("PASS_SECRET_FILE", SECRET, " \t\r\n \n")]
#[case::secret_commented_out("PASS_SECRET_FILE", SECRET, "# taken out\n")]
#[tokio::test]
async fn a_file_without_a_pass_key_lets_nobody_in(
    #[case] variable: &str,
    #[case] with: &str,
    #[case] without: &str,
) {
    let keys = file("pass-keys", with);
    let settings = [("ACCESS", "pass"), (variable, keys.to_str().unwrap())];
    let service = Service::start_with(rules(), &settings).await;
    let click = with_pass("", SECRET);
    service.destination(&click).await;
    std::fs::write(&keys, without).unwrap();
    eventually("the key is gone", async || {
        service.click(&click).await.status() == 401
    })
    .await;
    let name = variable.trim_end_matches("_FILE");
    let name = if name == "PASS_SECRET" {
        name
    } else {
        variable
    };
    gauge_tells(&service, name, 1).await;
    eventually("the log tells", async || {
        let there = format!("there is no key in the file {}", keys.display());
        log().contains(&there)
    })
    .await;
    assert_eq!(service.refusal(&click).await.kind, "pass-invalid");
    std::fs::write(&keys, with).unwrap();
    eventually("the key is back", async || {
        service.click(&click).await.status() == 302
    })
    .await;
    gauge_tells(&service, name, 0).await;
}

/// Emptied, or with a note in it: both mean that there is no key, and not that its file is broken.
#[rstest]
#[case::a_secret(Algorithm::HS256, "# taken out\n")]
#[case::a_public_key(Algorithm::EdDSA, "")]
#[case::a_public_key_with_a_note(Algorithm::EdDSA, "# taken out\n")]
#[tokio::test]
async fn a_key_whose_own_file_has_no_key_is_out(
    #[case] algorithm: Algorithm,
    #[case] without: &str,
) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let (setting, with, key) = if algorithm == Algorithm::EdDSA {
        let public = pair.public_key().as_der().unwrap();
        let key = EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref());
        ("public_key_file", pem("PUBLIC", public.as_ref()), key)
    } else {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        ("secret_file", SECRET.to_owned(), key)
    };
    let own = file("own-key", &with);
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"{algorithm:?}\"\n{setting} = {own:?}\n{}",
        key_entry("shop", OTHER_SECRET)
    );
    let keys = file("own-key-and-another", &keys);
    let settings = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &settings).await;
    let click = signed(algorithm, "crm", &key);
    service.destination(&click).await;
    std::fs::write(&own, without).unwrap();
    eventually("the key is gone", async || {
        service.click(&click).await.status() == 401
    })
    .await;
    service.destination(&with_pass("shop", OTHER_SECRET)).await;
    gauge_tells(&service, "PASS_KEYS_FILE", 1).await;
}

/// The other keys of the file go on.
#[tokio::test]
async fn a_secret_file_of_one_key_that_is_emptied_takes_that_key_out() {
    let secret = file("one-secret", SECRET);
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret_file = {secret:?}\n{}",
        key_entry("shop", OTHER_SECRET)
    );
    let keys = file("two-pass-keys", &keys);
    let settings = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &settings).await;
    let (crm, shop) = (with_pass("crm", SECRET), with_pass("shop", OTHER_SECRET));
    service.destination(&crm).await;
    std::fs::write(&secret, "").unwrap();
    eventually("the key is gone", async || {
        service.click(&crm).await.status() == 401
    })
    .await;
    service.destination(&shop).await;
    gauge_tells(&service, "PASS_KEYS_FILE", 1).await;
    // One that is removed is not readable, and what was read last holds.
    std::fs::write(&secret, SECRET).unwrap();
    eventually("the key is back", async || {
        service.click(&crm).await.status() == 302
    })
    .await;
    gauge_tells(&service, "PASS_KEYS_FILE", 0).await;
    std::fs::remove_file(&secret).unwrap();
    gauge_tells(&service, "PASS_KEYS_FILE", 1).await;
    service.destination(&crm).await;
    // Nor does it keep the others from changing.
    let keys_left = "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret_file = ";
    std::fs::write(&keys, format!("{keys_left}{secret:?}\n")).unwrap();
    eventually("the other key is gone", async || {
        service.click(&shop).await.status() == 401
    })
    .await;
    service.destination(&crm).await;
}

#[tokio::test]
async fn a_file_without_an_api_key_lets_nobody_in() {
    let keys = file("api-keys", &api_keys());
    let settings = [("ACCESS", "key"), ("API_KEYS_FILE", keys.to_str().unwrap())];
    let service = Service::start_with(rules(), &settings).await;
    let status = async || {
        let request = service.request(&format!("/open-chat?{CLICK}"));
        let request = request.header("Authorization", "Bearer canary-api-key");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 302);
    std::fs::write(&keys, "# [[key]]\n").unwrap();
    eventually("the key is gone", async || status().await == 401).await;
    gauge_tells(&service, "API_KEYS_FILE", 1).await;
}

#[tokio::test]
async fn a_proxy_s_secret_that_is_emptied_lets_nobody_in() {
    let secret = file("proxy-secret", "canary-proxy-secret\n");
    let settings = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-User"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("SSO_PROXY_SECRET_FILE", secret.to_str().unwrap()),
        (
            "OPERATOR_MAP_FILE",
            file("sso-map", "ann = 101\n").to_str().unwrap(),
        ),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let service = Service::start_with(rules(), &settings).await;
    let status = async |shown: Option<&str>| {
        let mut request = service.request("/open-chat?phone=0501234567");
        request = request.header("X-User", "ann");
        if let Some(shown) = shown {
            request = request.header("X-Proxy-Secret", shown);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(Some("canary-proxy-secret")).await, 302);
    std::fs::write(&secret, "\n").unwrap();
    eventually("nobody is let in", async || {
        status(Some("canary-proxy-secret")).await == 401
    })
    .await;
    for shown in [None, Some(""), Some("\n"), Some("canary")] {
        assert_eq!(status(shown.filter(|text| *text != "\n")).await, 401);
    }
    gauge_tells(&service, "SSO_PROXY_SECRET", 1).await;
}

/// The last alias can be taken away like any other.
#[tokio::test]
async fn a_map_that_is_emptied_counts_and_is_told_of() {
    let map = file("emptied-map", "ann = 101\n");
    let settings = [("OPERATOR_MAP_FILE", map.to_str().unwrap())];
    let service = Service::start_with(rules(), &settings).await;
    let click = "operator=ann&phone=0501234567";
    service.destination(click).await;
    std::fs::write(&map, "# ann has left\n").unwrap();
    eventually("the alias is gone", async || {
        service.click(click).await.status() == 404
    })
    .await;
    gauge_tells(&service, "OPERATOR_MAP_FILE", 1).await;
    std::fs::remove_file(&map).unwrap();
    std::fs::write(&map, "ann = 102\n").unwrap();
    eventually("the alias is back", async || {
        service.click(click).await.status() == 302
    })
    .await;
    gauge_tells(&service, "OPERATOR_MAP_FILE", 0).await;
}

#[tokio::test]
async fn a_file_that_is_removed_changes_nothing_and_is_told_of() {
    let keys = file("removed-keys", &key_entry("crm", SECRET));
    let settings = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &settings).await;
    std::fs::remove_file(&keys).unwrap();
    gauge_tells(&service, "PASS_KEYS_FILE", 1).await;
    service.destination(&with_pass("crm", SECRET)).await;
}

/// Whoever opens this file waits, as on a mount whose server is gone: a lease lets nobody in before
/// its holder answers, which this one does not.
struct Hanging(Child);

impl Hanging {
    fn from_now(path: &Path) -> Self {
        const HOLD: &str = "import fcntl, signal, sys, time\n\
             signal.signal(signal.SIGIO, signal.SIG_IGN)\n\
             held = open(sys.argv[1], 'r+')\n\
             while True:\n    \
                 try:\n        \
                     fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n        \
                     break\n    \
                 except OSError:\n        \
                     time.sleep(0.001)\n\
             print('held', flush=True)\n\
             sys.stdin.read()\n";
        let mut child = Command::new("python3")
            .args(["-c", HOLD, path.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut held = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut held)
            .unwrap();
        assert_eq!(held, "held\n");
        Self(child)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_file_that_hangs_holds_up_no_other() {
    let secret = file("hanging-secret", SECRET);
    let map = file("map-beside", "ann = 101\n");
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret_file = {secret:?}\n{}",
        key_entry("shop", OTHER_SECRET)
    );
    let keys = file("keys-beside", &keys);
    let settings = [
        ("ACCESS", "pass,open"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &settings).await;
    let (crm, shop) = (with_pass("crm", SECRET), with_pass("shop", OTHER_SECRET));
    // A changed file is opened at each look until it has settled.
    std::fs::write(&secret, format!("{SECRET}\n\n")).unwrap();
    let hanging = Hanging::from_now(&secret);
    gauge_tells(&service, "PASS_KEYS_FILE", 1).await;
    eventually("the log tells", async || {
        let path = secret.display();
        log().contains(&format!(
            "the file {path} cannot be used: it does not answer"
        ))
    })
    .await;
    std::fs::write(&map, "bob = 102\n").unwrap();
    eventually("the map is read", async || {
        let click = "operator=bob&phone=0501234567";
        service.click(click).await.status() == 302
    })
    .await;
    // Not even its own file of keys: what was read of the secret holds.
    let keys_left = "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret_file = ";
    std::fs::write(&keys, format!("{keys_left}{secret:?}\n")).unwrap();
    eventually("the other key is gone", async || {
        service.click(&shop).await.status() == 401
    })
    .await;
    service.destination(&crm).await;
    drop(hanging);
    gauge_tells(&service, "PASS_KEYS_FILE", 0).await;
}

#[tokio::test]
async fn a_password_file_that_hangs_holds_up_no_click() {
    let password = file("hanging-password", PASSWORD);
    let settings = [
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_PASSWORD_FILE", password.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &settings).await;
    let _hanging = Hanging::from_now(&password);
    service.chathub.store().revoke_company_tokens();
    service.destination("operator=102&phone=0501234567").await;
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 2);
}

fn fifo() -> PathBuf {
    let path = file("fifo", "");
    std::fs::remove_file(&path).unwrap();
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    path
}

fn of_600_megabytes() -> PathBuf {
    let path = file("long", "");
    let long = std::fs::File::create(&path).unwrap();
    long.set_len(600 << 20).unwrap();
    path
}

/// Whoever reads the folder afterwards should not have to wait for a pipe.
fn tidy_up(path: &Path) {
    if path.starts_with(env!("CARGO_TARGET_TMPDIR")) {
        std::fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn what_is_no_file_changes_nothing_and_is_told_of() {
    let map = file("map-then-none", "ann = 101\n");
    let settings = [("OPERATOR_MAP_FILE", map.to_str().unwrap())];
    let service = Service::start_with(rules(), &settings).await;
    for (other, why) in [
        (fifo(), "it is not a regular file"),
        (PathBuf::from("/dev/zero"), "it is not a regular file"),
        (of_600_megabytes(), "it is over 16 MiB long"),
    ] {
        std::fs::remove_file(&map).unwrap();
        std::os::unix::fs::symlink(&other, &map).unwrap();
        gauge_tells(&service, "OPERATOR_MAP_FILE", 1).await;
        eventually("the log tells", async || {
            log().contains(&format!("the file {} cannot be used: {why}", map.display()))
        })
        .await;
        service.destination("operator=ann&phone=0501234567").await;
        std::fs::remove_file(&map).unwrap();
        tidy_up(&other);
        // A link to a good file is one, as Kubernetes makes them.
        let good = file("map-again", "ann = 102\n");
        std::os::unix::fs::symlink(&good, &map).unwrap();
        gauge_tells(&service, "OPERATOR_MAP_FILE", 0).await;
    }
}

#[rstest]
#[case::a_map_of_zeros("OPERATOR_MAP_FILE", "/dev/zero", "it is not a regular file")]
#[case::a_map_that_is_a_pipe("OPERATOR_MAP_FILE", "fifo", "it is not a regular file")]
#[case::a_folder("OPERATOR_MAP_FILE", "/tmp", "it is not a regular file")]
#[case::a_password_that_is_a_pipe("CHATHUB_PASSWORD_FILE", "fifo", "it is not a regular file")]
#[case::a_password_of_zeros("CHATHUB_PASSWORD_FILE", "/dev/zero", "it is not a regular file")]
#[case::keys_of_600_megabytes("PASS_KEYS_FILE", "long", "it is over 1 MiB long")]
#[case::a_redis_url_that_is_a_pipe("REDIS_URL_FILE", "fifo", "it is not a regular file")]
#[case::a_logo_of_zeros("LOGO_FILE", "/dev/zero", "it is not a regular file")]
#[case::no_key("PASS_KEYS_FILE", "comment", "there is no key in the file")]
#[case::no_api_key("API_KEYS_FILE", "comment", "has no key")]
#[case::no_secret("PASS_SECRET_FILE", "blank", "it is empty")]
#[case::no_proxy_secret("SSO_PROXY_SECRET_FILE", "blank", "it is empty")]
fn a_start_is_refused_in_words(#[case] variable: &str, #[case] what: &str, #[case] why: &str) {
    let path = match what {
        "fifo" => fifo(),
        "long" => of_600_megabytes(),
        "comment" => file("comment", "# none\n"),
        "blank" => file("blank", " \n"),
        path => PathBuf::from(path),
    };
    let file = path.to_str().unwrap();
    let password = if variable == "CHATHUB_PASSWORD_FILE" {
        ("LISTEN", "127.0.0.1:0")
    } else {
        ("CHATHUB_PASSWORD", PASSWORD)
    };
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", "127.0.0.1:0"),
        ("CHATHUB_LOGIN", "acme"),
        // What is good of another kind does not make up for it.
        if variable == "PASS_KEYS_FILE" {
            ("PASS_SECRET", SECRET)
        } else {
            ("LISTEN", "127.0.0.1:0")
        },
        password,
        (variable, file),
    ];
    let (code, text) = process::run(&mut open_chat(&["serve"], &variables));
    tidy_up(&path);
    assert_eq!(code, Some(78), "{text}");
    let name = variable.trim_end_matches("_FILE");
    assert!(text.contains(name) && text.contains(why), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

/// As PowerShell and Notepad write it.
#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_secret() {
    let marked = |name, text: &str| file(name, &format!("\u{feff}{text}\r\n"));
    let (password, secret) = (marked("password", PASSWORD), marked("secret", SECRET));
    let variables = [
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_PASSWORD_FILE", password.to_str().unwrap()),
        ("ACCESS", "pass"),
        ("PASS_SECRET_FILE", secret.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    service.destination(&with_pass("", SECRET)).await;
}

#[tokio::test]
async fn the_login_may_be_in_a_file() {
    for (login, status) in [("acme\r\n", 302), ("emca\n", 503)] {
        let path = file("login", login);
        let variables = [
            ("CHATHUB_LOGIN", ""),
            ("CHATHUB_LOGIN_FILE", path.to_str().unwrap()),
        ];
        let service = Service::start_unproven(rules(), &variables);
        let click = service.click("operator=101&phone=0501234567").await;
        assert_eq!(click.status(), status, "{login}");
    }
}
