//! Why ChatHub cannot be reached, told apart for whoever has to mend it: by `check`, `/readyz` and
//! the log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use chathub_simulator::Simulator;
use rstest::rstest;

use crate::administration::Shell;
use crate::harness::{Service, eventually, file, log, own_address, rules};
use crate::process::{Ended, Running};
use crate::serving::Serving;

/// An authority's certificate and key, and those of servers that it vouches for.
pub struct Authority {
    directory: PathBuf,
    name: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("authority-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let authority = Self {
            directory,
            name: name.into(),
        };
        let (certificate, key) = (authority.path("ca.pem"), authority.path("ca.key"));
        openssl(&format!(
            "req -x509 -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={} \
             -keyout {key} -out {certificate}",
            authority.name
        ));
        authority
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    /// Its own certificate, for `SSL_CERT_FILE`.
    pub fn certificate(&self) -> String {
        self.path("ca.pem")
    }

    /// A server's certificate and key for a name such as `IP:127.0.0.1`.
    pub fn vouch(&self, server: &str, subject: &str) -> (String, String) {
        let [certificate, key, request, extensions] =
            ["pem", "key", "csr", "ext"].map(|end| self.path(&format!("{server}.{end}")));
        std::fs::write(&extensions, format!("subjectAltName={subject}\n")).unwrap();
        openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={server} -keyout {key} -out {request}"
        ));
        openssl(&format!(
            "x509 -req -days 2 -in {request} -CA {} -CAkey {} -CAcreateserial -extfile {extensions} -out {certificate}",
            self.path("ca.pem"),
            self.path("ca.key")
        ));
        (certificate, key)
    }
}

fn openssl(arguments: &str) {
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .output()
        .expect("openssl, which tests/setup.sh installs");
    assert!(made.status.success(), "{arguments}: {made:?}");
}

/// A server that speaks nothing but TLS, on this machine: a Redis.
pub fn tls_server(address: SocketAddr, certificate: &str, key: &str) -> Running {
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let mut command = Command::new("redis-server");
    command.args(["--bind", &ip, "--port", "0", "--tls-port", &port]);
    command.args(["--tls-cert-file", certificate, "--tls-key-file", key]);
    // Any authority will do, since clients show no certificate.
    command.args([
        "--tls-ca-cert-file",
        certificate,
        "--tls-auth-clients",
        "no",
    ]);
    command.args(["--save", "", "--appendonly", "no"]);
    Running::start(&mut command, "Ready to accept connections")
}

fn trusted() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("causes"))
}

fn check(variables: &[(&str, &str)]) -> Ended {
    let shell = Shell::start();
    let variables = [&[("ACCESS", "open")], variables].concat();
    let ended = shell.run_with(&["check"], &variables, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(shell.chathub.total_calls(), 0);
    ended
}

fn assert_says(ended: &Ended, words: &[&str]) {
    for word in words {
        assert!(ended.stdout.contains(word), "{word} is not in {ended:?}");
    }
}

#[rstest]
#[case::name(
    &[("CHATHUB_URL", "https://chat.invalid")],
    &["no connection: no such name, or no name server that answers (chat.invalid:443)", "→ Check the name in CHATHUB_URL"]
)]
#[case::proxy(
    &[("CHATHUB_URL", "https://chat.invalid"), ("HTTPS_PROXY", "http://user:canary-proxy@127.0.0.1:1")],
    &["no connection: the proxy cannot be reached or refuses (chat.invalid:443)", "→ Check HTTPS_PROXY"]
)]
#[tokio::test(flavor = "multi_thread")]
async fn check_says_why_a_name_leads_nowhere(
    #[case] variables: &[(&str, &str)],
    #[case] words: &[&str],
) {
    let ended = check(variables);
    assert_says(&ended, words);
    assert!(!ended.stdout.contains("canary"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_why_tls_fails() {
    let certificates = trusted().certificate();
    let plain = Simulator::start(rules()).unwrap();
    let url = plain.url().replace("http://", "https://");
    let ended = check(&[("CHATHUB_URL", &url), ("SSL_CERT_FILE", &certificates)]);
    assert_says(
        &ended,
        &["no connection: what answers there does not speak TLS (127.0.0.1:"],
    );

    let strange = Authority::new("strange");
    let address = own_address();
    let ip = format!("IP:{}", address.ip());
    for ((certificate, key), words) in [
        (
            strange.vouch("strange", &ip),
            "signed by no authority that this machine trusts (127.",
        ),
        (
            trusted().vouch("other-name", "DNS:other.example"),
            "the certificate is for another name (127.",
        ),
    ] {
        let _server = tls_server(address, &certificate, &key);
        let url = format!("https://{address}");
        let ended = check(&[("CHATHUB_URL", &url), ("SSL_CERT_FILE", &certificates)]);
        assert_says(&ended, &[words]);
    }
}

#[tokio::test]
async fn readyz_and_the_log_say_where_and_why() {
    for (url, words) in [
        (
            "https://chat.invalid",
            "ChatHub could not be reached: no such name chat.invalid:443, or no name server that answers\n",
        ),
        (
            &format!("http://{}", own_address()),
            "ChatHub could not be reached: the connection was refused (127.",
        ),
    ] {
        let service = Service::start_unproven(rules(), &[("CHATHUB_URL", url)]);
        eventually("the cause is told", async || {
            let answer = service.ops("/readyz").await;
            assert_eq!(answer.status(), 503);
            answer.text().await.unwrap().starts_with(words)
        })
        .await;
        let (_, address) = url.split_once("://").unwrap();
        let address = format!(r#""address":"{address}"#);
        eventually("it is logged", async || log().contains(&address)).await;
    }
}

/// Before ChatHub was asked anything, and where it answers and refuses.
#[tokio::test]
async fn readyz_blames_the_credentials_where_they_are_refused() {
    let wrong = [("CHATHUB_PASSWORD", "canary-password-wrong")];
    let service = Service::start_unproven(rules(), &wrong);
    eventually("it is told", async || {
        let answer = service.ops("/readyz").await;
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("ChatHub has not accepted the credentials yet"));
        text.ends_with(": ChatHub does not accept the company's credentials\n")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_what_it_could_not_call() {
    let shell = Shell::start();
    let address = own_address();
    let url = format!("http://{address}/");
    let ended = shell.run_with(&["organizations", "list"], &[("CHATHUB_URL", &url)], "");
    let expected = format!(
        "open-chat: calling {address}: ChatHub is unavailable: no connection: the connection was refused\n\
         Check host and port of CHATHUB_URL"
    );
    assert!(ended.stderr.starts_with(&expected), "{ended:?}");
}

/// The certificates that a variable names, and what is wrong with them.
fn certificates() -> [(String, &'static str); 5] {
    let pem = std::fs::read_to_string(trusted().certificate()).unwrap();
    let bom = file("bom.pem", &format!("\u{feff}{pem}"));
    let empty = file("empty.pem", "");
    let text = file("text.pem", "canary-no-certificate");
    let der = file("der.pem", "");
    let (from, to) = (trusted().certificate(), der.to_str().unwrap());
    openssl(&format!("x509 -in {from} -outform der -out {to}"));
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    [
        ("/nowhere/ca.pem".into(), "No such file"),
        (path(empty), "there is no certificate (PEM) in it"),
        (path(text), "there is no certificate (PEM) in it"),
        (path(bom), "it begins with a byte order mark"),
        (
            path(der),
            "it is a certificate in DER, and PEM is needed: openssl x509",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_cannot_be_used_stop_the_start_by_name() {
    let shell = Shell::start();
    let common = [("ACCESS", "open"), ("LISTEN", "127.0.0.1:0")];
    let https = ("CHATHUB_URL", "https://chat.invalid");
    for (path, words) in certificates() {
        let words = format!("SSL_CERT_FILE: the file {path} cannot be used: {words}");
        let variables = [&common[..], &[https, ("SSL_CERT_FILE", &path)]].concat();
        let ended = shell.run_with(&["serve"], &variables, "");
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(ended.stderr.contains(&words), "{words} is not in {ended:?}");
        assert!(!ended.stderr.contains("canary"), "{ended:?}");
        let ended = shell.run_with(&["check"], &variables, "");
        let first = format!("FAILED   configuration  {words}");
        assert!(ended.stdout.starts_with(&first), "{ended:?}");
    }
    let empty = file("empty-directory", "");
    for (name, value, words) in [
        ("SSL_CERT_FILE", "", "SSL_CERT_FILE: is set and empty"),
        (
            "SSL_CERT_DIR",
            empty.to_str().unwrap(),
            "SSL_CERT_DIR: there is no certificate (PEM) in ",
        ),
    ] {
        let variables = [&common[..], &[https, (name, value)]].concat();
        let ended = shell.run_with(&["serve"], &variables, "");
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_looks_like_a_setting_is_told_of() {
    let chathub = Simulator::start(rules()).unwrap();
    let slips = [
        ("TOKEN_TLL", "canary-1m"),
        ("CHATHUB_MAX_RTE", "canary-5"),
        ("OPEN_CHAT_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("TOKEN_SERVICE_HOST", "10.0.0.1"),
    ];
    let serving = Serving::start(&chathub, &slips).await;
    let log = serving.end();
    for (name, meant) in [
        ("TOKEN_TLL", "TOKEN_TTL"),
        ("CHATHUB_MAX_RTE", "CHATHUB_MAX_RATE"),
    ] {
        let line = log.lines().find(|line| line.contains(name)).expect(name);
        assert!(line.contains("WARN"), "{line}");
        let what = format!("is no setting and changes nothing; {meant} is one");
        assert!(line.contains(&what), "{line}");
    }
    assert!(!log.contains("OPEN_CHAT_PORT") && !log.contains("TOKEN_SERVICE"));

    let shell = Shell::start();
    let variables = [&[("ACCESS", "open")], &slips[..]].concat();
    let ended = shell.run_with(&["check"], &variables, "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_says(
        &ended,
        &["warning  configuration  TOKEN_TLL is no setting and changes nothing; TOKEN_TTL is one"],
    );
    // Where something must be set, this may be why it is not.
    let ended = shell.run_with(&["serve"], &[("ACESS", "canary-open")], "");
    assert_eq!(ended.code, Some(78));
    assert!(
        ended.stderr.contains("ACCESS: ") && ended.stderr.contains("ACESS: is no setting"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("canary"), "{ended:?}");
}
