//! The service behind a real nginx and a real `HAProxy`, which are set up by the very files in
//! `docs/proxies/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crm_simulator::kommo;
use open_chat::integrations::Integration;
use rstest::rstest;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::device;
use crate::harness::{PANEL, PATIENCE, Service, eventually, file, log_line, rules};
pub use crate::harness::{own_address, system_command};

use self::Kind::{HaProxy, Nginx};

const SECRET: &str = "canary-proxy-secret";
const AGENT_PASSWORD: &str = "canary-agent-password";

/// `openssl passwd -6` of the agent's password, as `HAProxy` has it.
const AGENT_PASSWORD_HASH: &str = "$6$openchat$2IKwTKyMjreYync62FqfSmPxZpbLEAyydZ8p.eAiUwAftVzzobQJRK7iCGaC.11x46UHjVPT6VQgBnJrBZPLQ1";

/// Where the agent's browser runs. The proxies ask open-chat from 127.0.0.1, so whose address
/// counts can be told apart.
const AGENT: &str = "127.0.0.7";

const NAME: &str = "chats.example.com";

/// The agent's click, Ann's if she is logged in.
const CLICK: &str = "/open-chat?phone=0501234567";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nginx,
    HaProxy,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Nginx => "nginx",
            HaProxy => "haproxy",
        }
    }

    /// What the browser of Ann, who is logged in, sends.
    fn login(self) -> String {
        match self {
            Nginx => "Cookie: session=canary-session\r\n".into(),
            HaProxy => basic(&format!("ann@example.com:{AGENT_PASSWORD}")),
        }
    }

    /// What somebody sends who only guesses.
    fn guess(self) -> String {
        match self {
            Nginx => "Cookie: session=canary-guess\r\n".into(),
            HaProxy => basic("ann@example.com:canary-guess"),
        }
    }
}

fn basic(credentials: &str) -> String {
    let credentials = STANDARD.encode(credentials);
    format!("Authorization: Basic {credentials}\r\n")
}

/// A server that answers by a rule, and remembers what it was asked.
struct StandIn {
    address: SocketAddr,
    /// The heads of all requests.
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU32>,
    task: AbortHandle,
}

impl StandIn {
    async fn start(answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let connections = Arc::<AtomicU32>::default();
        let (all_asked, all_connections) = (Arc::clone(&asked), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            // They end with this one.
            let mut running = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                all_connections.fetch_add(1, Ordering::Relaxed);
                let asked = Arc::clone(&all_asked);
                running.spawn(async move {
                    let mut read = String::new();
                    while read_until(&mut stream, &mut read, has_head).await {
                        let (head, rest) = read.split_once("\r\n\r\n").unwrap();
                        let (head, rest) = (head.to_owned(), rest.to_owned());
                        let text = answer(&head);
                        let is_last = headers(&head)
                            .get("connection")
                            .is_some_and(|option| option.eq_ignore_ascii_case("close"));
                        asked.lock().unwrap().push(head);
                        read = rest;
                        if stream.write_all(text.as_bytes()).await.is_err() || is_last {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            address,
            asked,
            connections,
            task: task.abort_handle(),
        }
    }

    /// In the place of oauth2-proxy.
    async fn oauth2_proxy() -> Self {
        Self::start(|head| {
            if head.starts_with("GET /oauth2/sign_in ") {
                return "HTTP/1.1 302 Found\r\nLocation: https://login.example.test/\r\n\
                        Content-Length: 0\r\n\r\n"
                    .into();
            }
            assert!(head.starts_with("GET /oauth2/auth "), "{head}");
            if head.contains("session=canary-session") {
                "HTTP/1.1 202 Accepted\r\nX-Auth-Request-Email: ann@example.com\r\nContent-Length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
            }
            .into()
        })
        .await
    }

    /// In the place of open-chat, to see what reaches it.
    async fn open_chat() -> Self {
        Self::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into()).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The real open-chat, as an engineer sets it up behind one of the proxies.
async fn open_chat(test: &str) -> Service {
    open_chat_with(test, &[]).await
}

/// The same, with these variables over the plain ones.
async fn open_chat_with(test: &str, more: &[(&str, &str)]) -> Service {
    let map = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxies-{test}.toml"));
    fs::write(
        &map,
        "\"ann@example.com\" = 101\n\"bob@example.com\" = 102\n\"kommo-5\" = 102\n",
    )
    .unwrap();
    let variables = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-Auth-Request-Email"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("SSO_PROXY_SECRET", SECRET),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    Service::start_with(rules(), &[&variables[..], more].concat()).await
}

/// The same, with paired browsers beside the login.
async fn open_chat_with_devices(test: &str) -> Service {
    let variables = [
        ("ACCESS", "sso,device"),
        ("DEVICE_SECRET", device::SECRET),
        ("PUBLIC_URL", "https://chats.example.com"),
    ];
    open_chat_with(test, &variables).await
}

fn address_of(service: &Service) -> SocketAddr {
    let url = service.url();
    url.trim_start_matches("http://").parse().unwrap()
}

/// A certificate and its key, in one file, for the name that the clicks go to.
fn certificate() -> &'static Path {
    static CERTIFICATE: OnceLock<PathBuf> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proxies.pem");
        let made = Command::new("openssl")
            .args("req -x509 -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(' '))
            .args(["-subj", &format!("/CN={NAME}")])
            .args(["-addext", &format!("subjectAltName=DNS:{NAME}")])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "-", "-out", "-"])
            .output()
            .expect("openssl, which tests/setup.sh installs");
        assert!(made.status.success(), "{made:?}");
        fs::write(&path, made.stdout).unwrap();
        path
    })
}

/// A running proxy, ended with the test.
struct Proxy {
    kind: Kind,
    address: SocketAddr,
    directory: PathBuf,
    child: Child,
    /// Only nginx asks it.
    _login: StandIn,
}

impl Proxy {
    /// Sets one up by its file in `docs/`, in front of `open_chat`.
    async fn start(kind: Kind, open_chat: SocketAddr) -> Self {
        let oauth2_proxy = StandIn::oauth2_proxy().await;
        let address = own_address();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "{}-{}",
            kind.name(),
            address.port()
        ));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let at = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let (open_chat, oauth2) = (open_chat.to_string(), oauth2_proxy.address.to_string());
        let certificate = certificate().to_str().unwrap();
        let config = at("config");
        let mut command = match kind {
            Nginx => {
                let secret = at("secret.conf");
                fs::write(
                    &secret,
                    format!("proxy_set_header X-Proxy-Secret \"{SECRET}\";\n"),
                )
                .unwrap();
                // Where nginx would keep long bodies; the place that Debian gives it is root's.
                let bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("    {name}_temp_path {};\n", at(name)))
                    .concat();
                let text = replaced(
                    include_str!("../../docs/proxies/nginx.conf"),
                    &[
                        ("\nhttp {\n", &format!("\nhttp {{\n{bodies}")),
                        ("/run/nginx.pid", &at("nginx.pid")),
                        ("/var/log/nginx/open-chat.log", &at("access.log")),
                        ("/var/log/nginx/error.log", &at("error.log")),
                        ("/etc/nginx/open-chat-secret.conf", &secret),
                        ("/etc/ssl/open-chat.pem", certificate),
                        ("/etc/ssl/open-chat.key", certificate),
                        ("listen 443", &format!("listen {address}")),
                        ("127.0.0.1:8080", &open_chat),
                        ("127.0.0.1:4180", &oauth2),
                        // No test fails because the machine is busy.
                        ("proxy_connect_timeout 2s", "proxy_connect_timeout 5m"),
                        ("proxy_read_timeout 10s", "proxy_read_timeout 5m"),
                    ],
                );
                fs::write(&config, text).unwrap();
                let mut command = system_command("nginx");
                // One process, which cannot leave others behind when it is killed.
                command.args(["-e", "stderr", "-c", &config]);
                command.args(["-g", "daemon off; master_process off;"]);
                command
            }
            HaProxy => {
                let text = replaced(
                    include_str!("../../docs/proxies/haproxy.cfg"),
                    &[
                        // Only root can become somebody else.
                        ("    user haproxy\n    group haproxy\n", ""),
                        ("THE-OUTPUT-OF-openssl-passwd-6", AGENT_PASSWORD_HASH),
                        ("/etc/haproxy/open-chat.pem", certificate),
                        ("bind :443", &format!("bind {address}")),
                        ("127.0.0.1:8080", &open_chat),
                        // No test fails because the machine is busy.
                        ("timeout http-request 5s", "timeout http-request 5m"),
                        ("timeout connect 2s", "timeout connect 5m"),
                        ("timeout server 10s", "timeout server 5m"),
                    ],
                );
                fs::write(&config, text).unwrap();
                let mut command = system_command("haproxy");
                command.args(["-db", "-f", &config]);
                command.env("PROXY_SECRET", SECRET);
                command
            }
        };
        let log = |name| {
            let path = directory.join(name);
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .unwrap()
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(log("stdout.log"))
            .stderr(log("stderr.log"))
            .spawn()
            .unwrap_or_else(|_| panic!("no {}: run tests/setup.sh", kind.name()));
        let mut proxy = Self {
            kind,
            address,
            directory,
            child,
            _login: oauth2_proxy,
        };
        eventually("the proxy listens", async || {
            let ended = proxy.child.try_wait().unwrap();
            assert_eq!(ended, None, "{kind:?} has ended: {}", proxy.logs());
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        proxy
    }

    /// Everything that it has printed and logged so far.
    fn logs(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(&self.directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
        text
    }

    /// An agent's connection.
    async fn connect(&self) -> Connection {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(certificate()).unwrap();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{AGENT}:0").parse().unwrap()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from(NAME).unwrap(), stream)
            .await
            .unwrap();
        Connection { stream }
    }

    /// One request on a connection of its own, with these header lines.
    async fn ask(&self, target: &str, headers: &str) -> Answer {
        self.connect().await.ask(target, headers).await
    }

    /// A click of Ann, who is logged in, with these header lines more.
    async fn click(&self, headers: &str) -> Answer {
        self.ask(CLICK, &(self.kind.login() + headers)).await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The whole run's search for secrets reads this one.
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes.log");
        let mut all = File::options().create(true).append(true).open(all).unwrap();
        all.write_all(self.logs().as_bytes()).unwrap();
    }
}

/// The text with these parts of it replaced, each of which must be there.
fn replaced(text: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "no `{from}` in the configuration");
        text.replace(from, to)
    })
}

struct Connection {
    stream: TlsStream<TcpStream>,
}

impl Connection {
    async fn ask(&mut self, target: &str, headers: &str) -> Answer {
        self.send("GET", target, headers).await
    }

    async fn send(&mut self, method: &str, target: &str, headers: &str) -> Answer {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {NAME}\r\n{headers}\r\n");
        let mut text = String::new();
        let exchange = async {
            self.stream.write_all(request.as_bytes()).await?;
            self.stream.flush().await?;
            let is_whole = read_until(&mut self.stream, &mut text, is_whole).await;
            assert!(is_whole, "half an answer: {text}");
            io::Result::Ok(())
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .expect("an answer in time")
            .expect("an answer");
        Answer(text)
    }
}

/// Reads until `is_enough`; false if the stream ends before.
async fn read_until(
    stream: &mut (impl AsyncRead + Unpin),
    text: &mut String,
    is_enough: fn(&str) -> bool,
) -> bool {
    let mut buffer = [0; 4096];
    while !is_enough(text) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
        }
    }
    true
}

fn has_head(text: &str) -> bool {
    text.contains("\r\n\r\n")
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    match headers(head).get("content-length") {
        Some(length) => body.len() == length.parse::<usize>().unwrap(),
        // No content, and so no length either.
        None if head.starts_with("HTTP/1.1 204 ") => body.is_empty(),
        None => body.ends_with("0\r\n\r\n"),
    }
}

/// The headers by their names in lower case; those of one name with ` & ` between them.
fn headers(head: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap();
        all.entry(name.to_ascii_lowercase())
            .and_modify(|values| {
                *values += " & ";
                *values += value.trim();
            })
            .or_insert_with(|| value.trim().to_owned());
    }
    all
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        self.0[9..12].parse().unwrap()
    }

    fn header(&self, name: &str) -> String {
        let (head, _) = self.0.split_once("\r\n\r\n").unwrap();
        headers(head).remove(name).unwrap_or_default()
    }

    /// Who clicked, for whom, and from where: as open-chat has logged it.
    async fn logged(&self) -> String {
        let line = log_line(&self.header("x-request-id")).await;
        let text = |name: &str| line[name].to_string().replace('"', "");
        format!("{} {} {}", text("caller"), text("operator"), text("client"))
    }
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn an_agent_who_is_logged_in_gets_to_her_own_operator(#[case] kind: Kind) {
    let service = open_chat(&format!("own-operator-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;

    let answer = proxy.click("").await;
    assert_eq!(answer.status(), 302);
    let location = answer.header("location");
    assert!(location.starts_with(&format!("{PANEL}?phone=%2B380501234567&token=")));
    assert_eq!(
        answer.logged().await,
        "sso:ann@example.com 101 127.0.0.7",
        "the client is the agent's browser, not the proxy"
    );

    let of_bob = format!("{CLICK}&operator=102");
    let answer = proxy.ask(&of_bob, &kind.login()).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.0.contains("operator-not-allowed"));
}

#[rstest]
#[case::nginx(Nginx, 302, "Location: https://login.example.test/")]
#[case::haproxy(HaProxy, 401, "Basic realm=\"chats\"")]
#[tokio::test]
async fn who_is_not_logged_in_does_not_reach_open_chat(
    #[case] kind: Kind,
    #[case] status: u16,
    #[case] asks: &str,
) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let named = format!(
        "X-Auth-Request-Email: ann@example.com\r\nX-Proxy-Secret: {SECRET}\r\nX-Forwarded-For: 127.0.0.1\r\n"
    );
    for headers in [String::new(), kind.guess(), named] {
        // A browser is led to the login; a program is told.
        let browser = format!("Accept: text/html\r\n{headers}");
        let answer = proxy.ask(CLICK, &browser).await;
        assert_eq!(answer.status(), status);
        assert!(answer.0.contains(asks), "{}", answer.0);
        let answer = proxy.ask(CLICK, &headers).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(
            answer.0.contains("problem:identity-missing"),
            "{}",
            answer.0
        );
    }
    assert_eq!(open_chat.asked(), <[String; 0]>::default());
    // She would have reached it.
    assert_eq!(proxy.click("").await.status(), 200);
    assert_eq!(open_chat.asked().len(), 1);
}

/// What somebody who is logged in as Ann may try, to be Bob, or to be elsewhere.
const FORGED: [&str; 8] = [
    "X-Auth-Request-Email: bob@example.com\r\n",
    "x-auth-request-email: bob@example.com\r\n",
    "X-AUTH-REQUEST-EMAIL: bob@example.com\r\n",
    "X-Auth-Request-Email: bob@example.com\r\nX-Auth-Request-Email: bob@example.com\r\n",
    "X_Auth_Request_Email: bob@example.com\r\nX-Auth_Request-Email: bob@example.com\r\n",
    "X-Proxy-Secret: canary-guess\r\nX-Proxy-Secret: canary-guess\r\n",
    "X-Forwarded-For: 203.0.113.9\r\n",
    "X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 203.0.113.9, 127.0.0.1\r\nX-Request-Id: canary\r\n",
];

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn nobody_becomes_another_or_comes_from_elsewhere_by_headers(#[case] kind: Kind) {
    let service = open_chat(&format!("headers-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    for forged in FORGED {
        let answer = proxy.click(forged).await;
        assert_eq!(answer.status(), 302, "{forged}");
        assert_eq!(
            answer.logged().await,
            "sso:ann@example.com 101 127.0.0.7",
            "{forged}"
        );
    }
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn open_chat_gets_the_proxy_s_word_once_and_nothing_of_the_client_s(#[case] kind: Kind) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    assert_eq!(proxy.click(&FORGED.concat()).await.status(), 200);

    assert_only_the_proxy_s_word(
        &open_chat.asked(),
        "GET /open-chat?phone=0501234567 HTTP/1.1",
    );
}

/// One request has reached open-chat, with what the proxy says of Ann and no header of hers.
fn assert_only_the_proxy_s_word(asked: &[String], line: &str) {
    let [head] = asked else {
        panic!("one request, not {}", asked.len());
    };
    assert_eq!(head.lines().next(), Some(line));
    let mut headers = headers(head);
    let id = headers.remove("x-request-id").unwrap();
    assert!(!id.contains("canary") && !id.contains('&'), "{id}");
    // Not of the client's, but about the connection to open-chat.
    headers.remove("connection");
    let expected = [
        ("host", "chats.example.com"),
        ("x-auth-request-email", "ann@example.com"),
        ("x-forwarded-for", "127.0.0.7"),
        ("x-proxy-secret", "canary-proxy-secret"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, BTreeMap::from(expected));
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn the_link_builder_is_open_to_who_is_logged_in(#[case] kind: Kind) {
    let service = open_chat(&format!("builder-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let page = "/builder?crm=bitrix24&operator=101&phone=%2B380501234567";
    let answer = proxy.ask(page, &kind.login()).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.header("content-type").starts_with("text/html"));
    // What is filled in has arrived.
    assert!(answer.0.contains("value=\"101\""), "{}", answer.0);

    for headers in [String::new(), kind.guess()] {
        let answer = proxy.ask(page, &headers).await;
        assert_eq!(answer.status(), 401, "{headers}");
    }
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn the_builder_gets_the_proxy_s_word_once_and_nothing_of_the_client_s(#[case] kind: Kind) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let headers = kind.login() + &FORGED.concat();
    let answer = proxy.ask("/builder?phone=0501234567", &headers).await;
    assert_eq!(answer.status(), 200);
    assert_only_the_proxy_s_word(&open_chat.asked(), "GET /builder?phone=0501234567 HTTP/1.1");
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn nothing_but_the_button_and_the_builder_is_open(#[case] kind: Kind) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    for path in [
        "/",
        "/metrics",
        "/healthz",
        "/readyz",
        "/demo",
        "//metrics",
        "/%6detrics",
        "/open-chat/",
        "/builder/",
        "/builder/connectors/",
        "/builder/connectors/creatio",
        "/builder/connectors/kommo/",
        "/builder/connectors/browser-extension/",
        "/pair/",
        "/handler/x",
        "/manifest.webmanifest/",
        "/connect",
        "/connect/",
        "/connect/creatio",
        "/connect/bitrix24/",
        "/connect/kommo/open",
        "/connect/bitrix24/install/open",
        "/builder%2f..%2fmetrics",
        "/widget",
        "/openapi.json",
        "/open-chat/../metrics",
        "/open-chat%2f..%2fmetrics",
        "/metrics?/open-chat",
        "/OPEN-CHAT",
    ] {
        let answer = proxy.ask(path, &kind.login()).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    // A way round to the right path is refused, or arrives as what it means.
    proxy.ask("/metrics/../open-chat", &kind.login()).await;
    proxy.ask("/open%2Dchat", &kind.login()).await;
    for head in open_chat.asked() {
        assert!(head.starts_with("GET /open-chat HTTP/1.1\r\n"));
    }
}

/// What open-chat got in one request: its first line, and its headers but for those of the
/// connection and the request's id.
fn received(asked: &[String]) -> (String, BTreeMap<String, String>) {
    let [head] = asked else {
        panic!("one request, not {}", asked.len());
    };
    let mut headers = headers(head);
    headers.remove("connection");
    assert!(headers.remove("x-request-id").is_some());
    (head.lines().next().unwrap().to_owned(), headers)
}

const WITHOUT_LOGIN: [&str; 17] = [
    "/pair",
    "/handler",
    "/manifest.webmanifest",
    "/icon-192.png",
    "/icon-512.png",
    "/connect/bitrix24",
    "/connect/bitrix24/install",
    "/connect/bitrix24/ticket",
    "/connect/bitrix24/open",
    "/connect/kommo",
    "/connect/zendesk",
    "/connect/zendesk/ticket",
    "/connect/zendesk/open",
    "/connect/hubspot",
    "/connect/pipedrive",
    "/connect/pipedrive/ticket",
    "/connect/pipedrive/open",
];

/// What the builder offers is led in by name, each package by its own, for those who are logged in.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn every_package_is_for_who_is_logged_in(#[case] kind: Kind) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    for package in Integration::ALL {
        open_chat.asked.lock().unwrap().clear();
        let path = format!(
            "/builder/connectors/{}?crm=https://a.example",
            package.name()
        );
        for headers in [String::new(), kind.guess()] {
            assert_eq!(proxy.ask(&path, &headers).await.status(), 401, "{path}");
        }
        assert_eq!(open_chat.asked().len(), 0, "{path}");
        assert_eq!(proxy.ask(&path, &kind.login()).await.status(), 200);
        let (line, _) = received(&open_chat.asked());
        assert_eq!(line, format!("GET {path} HTTP/1.1"));
    }
}

/// The chart leads the same paths in for CRMs.
#[test]
fn the_chart_and_the_proxies_let_crms_in_at_the_same_paths() {
    let values = include_str!("../../helm/open-chat/values.yaml");
    let lines = values
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "));
    let chart: BTreeSet<_> = lines.filter(|path| path.starts_with("/connect/")).collect();
    let here = WITHOUT_LOGIN.iter().copied();
    let here: BTreeSet<_> = here.filter(|path| path.starts_with("/connect/")).collect();
    assert_eq!(chart, here);
}

/// A signature is over the query as it was sent, and a token stands in a header or in a form.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn what_a_crm_sends_arrives_letter_by_letter(#[case] kind: Kind) {
    let sent = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://acme.kommo.com"),
        ("sec-fetch-site", "cross-site"),
        ("x-auth-token", "canary.token"),
        ("x-hubspot-request-timestamp", "1795608000000"),
        ("x-hubspot-signature-v3", "Y2FuYXJ5+/="),
    ];
    let lines = sent.map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines = FORGED.concat() + "Cookie: session=canary-session\r\n" + &lines.concat();
    let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut expected = BTreeMap::from(sent);
    expected.insert("host".into(), NAME.into());
    expected.insert("x-forwarded-for".into(), AGENT.into());
    for (method, path) in [
        ("GET", "/connect/kommo"),
        ("OPTIONS", "/connect/kommo"),
        ("GET", "/connect/hubspot"),
        ("POST", "/connect/bitrix24/install"),
        ("POST", "/connect/zendesk/open"),
    ] {
        let open_chat = StandIn::open_chat().await;
        let proxy = Proxy::start(kind, open_chat.address).await;
        let target = format!("{path}?phone=%2B380%2050~&b=%7e'(1)!*&&c=a+b;&userId=7");
        let body = if method == "POST" { "token=a" } else { "" };
        let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut connection = proxy.connect().await;
        let lines = lines.clone() + &length;
        let answer = connection.send(method, &target, &lines);
        assert_eq!(answer.await.status(), 200, "{method} {path}");
        let (line, mut headers) = received(&open_chat.asked());
        assert_eq!(line, format!("{method} {target} HTTP/1.1"));
        let length = headers.remove("content-length").unwrap_or_default();
        assert_eq!(length.parse().unwrap_or(0), body.len());
        assert_eq!(headers, expected, "{method} {path}");
    }
}

/// The real open-chat with a CRM that asks for links.
async fn open_chat_with_connectors(test: &str, section: &str) -> Service {
    let connectors = file(&format!("proxies-{test}-connectors.toml"), section);
    let variables = [
        ("ACCESS", "pass,sso"),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("PUBLIC_URL", "https://chats.example.com"),
        ("CONNECTORS_FILE", connectors.to_str().unwrap()),
    ];
    open_chat_with(test, &variables).await
}

/// Kommo's widget gets its link, and the link opens the chat in a browser that has never logged in.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn a_crm_s_agent_gets_to_the_chat_without_a_login(#[case] kind: Kind) {
    const KEY: &str = "canary-kommo-secret-0123456789";
    let section = format!("[kommo]\naccounts = [\"acme.kommo.com\"]\nsecret = \"{KEY}\"\n");
    let service = open_chat_with_connectors(&format!("kommo-{}", kind.name()), &section).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let origin = "Origin: https://acme.kommo.com\r\n";
    let wanted = "/connect/kommo?phone=0501234567";
    let answer = proxy.connect().await.send("OPTIONS", wanted, origin).await;
    assert_eq!(answer.status(), 204, "{}", answer.0);
    let allowed = answer.header("access-control-allow-headers");
    assert_eq!(allowed, "X-Auth-Token");

    // A login, and what looks like one, make the agent no other.
    let claims = kommo::claims(
        "https://acme.kommo.com",
        "https://chats.example.com",
        5,
        "1",
    );
    let token = kommo::token(&claims, KEY);
    let named = FORGED.concat() + &kind.login();
    let shown = format!("{named}{origin}X-Auth-Token: {token}\r\n");
    let answer = proxy.ask(wanted, &shown).await;
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert_eq!(answer.logged().await, "kommo:5 102 127.0.0.7");
    let begin = "{\"url\":\"https://chats.example.com";
    let (_, link) = answer.0.split_once(begin).unwrap();
    let (link, _) = link.split_once('"').unwrap();

    let answer = proxy.ask(link, &FORGED.concat()).await;
    assert_eq!(answer.status(), 302, "{}", answer.0);
    let logged = answer.logged().await;
    assert!(logged.starts_with("pass:"), "{logged}");
    assert!(logged.ends_with(" 102 127.0.0.7"), "{logged}");
}

/// open-chat decides about a pass, so it reaches it, without a name.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn an_invented_pass_opens_nothing(#[case] kind: Kind) {
    let section = "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-kommo-0123456789\"\n";
    let test = format!("invented-pass-{}", kind.name());
    let service = open_chat_with_connectors(&test, section).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let invented = format!("{CLICK}&pass=a.b.c");
    let answer = proxy.ask(&invented, &FORGED.concat()).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.0.contains("problem:pass-invalid"), "{}", answer.0);
    // An empty one is none, and leads to the login; and no other path takes one.
    for path in [format!("{CLICK}&pass="), "/builder?pass=a.b.c".into()] {
        let answer = proxy.ask(&path, &FORGED.concat()).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.0.contains("The proxy in front"), "{}", answer.0);
    }
    // Without `pass` in ACCESS it is worth nothing.
    let service = open_chat(&format!("no-pass-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let answer = proxy.ask(&invented, &FORGED.concat()).await;
    assert_eq!(answer.status(), 401, "{}", answer.0);
    assert!(answer.0.contains("problem:"), "{}", answer.0);
}

/// The form of a framed page's button arrives, too.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn a_framed_page_s_form_arrives(#[case] kind: Kind) {
    let section = "[pipedrive]\ncompanies = [{ id = 123, host = \"acme.pipedrive.com\" }]\n\
                   jwt_secret = \"canary-pipedrive-panel-secret-of-32\"\n\
                   api_token = \"canary-pipedrive-api-token\"\n";
    let service = open_chat_with_connectors(&format!("form-{}", kind.name()), section).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let fetched =
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
    for (body, problem) in [
        ("ticket=a", "problem:connector-unproven"),
        ("ticket=a&ticket=b", "problem:parameter-repeated"),
    ] {
        let head = format!("{fetched}Content-Length: {}\r\n\r\n{body}", body.len());
        let mut connection = proxy.connect().await;
        let answer = connection.send("POST", "/connect/pipedrive/ticket", &head);
        let answer = answer.await;
        assert!(answer.0.contains(problem), "{}", answer.0);
    }
}

/// A login that is right, a name that nothing proves, a key: none of them reaches open-chat where
/// the proxy has asked for no login.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn what_needs_no_login_is_open_and_names_no_agent(#[case] kind: Kind) {
    let expected = [("host", NAME), ("x-forwarded-for", AGENT)];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let named = FORGED.concat();
    let shown = [
        String::new(),
        kind.login(),
        basic("bob@example.com:canary-guess"),
        "Authorization: Bearer canary-pass\r\n".into(),
    ];
    for path in WITHOUT_LOGIN {
        for shown in &shown {
            open_chat.asked.lock().unwrap().clear();
            let target = format!("{path}?a=%2B1");
            let answer = proxy.ask(&target, &format!("{named}{shown}")).await;
            assert_eq!(answer.status(), 200, "{path} {shown}");
            let (line, headers) = received(&open_chat.asked());
            assert_eq!(line, format!("GET {target} HTTP/1.1"));
            assert_eq!(headers, BTreeMap::from(expected.clone()), "{path} {shown}");
        }
    }
}

/// What a page of a sibling host can set beside the cookie of a paired browser, or in its place.
#[rstest]
#[case::alone("__Host-open-chat-device=right", "right")]
#[case::among_others("session=canary; __Host-open-chat-device=right; b=2", "right")]
#[case::last("session=canary; __Host-open-chat-device=right", "right")]
#[case::no_other("session=canary; b=2", "")]
#[case::encoded("%5F_Host-open-chat-device=wrong", "")]
#[case::encoded_beside_it(
    "%5F_Host-open-chat-device=wrong; __Host-open-chat-device=right",
    "right"
)]
#[case::longer("x__Host-open-chat-device=wrong", "")]
#[case::longer_beside_it(
    "x__Host-open-chat-device=wrong; __Host-open-chat-device=right",
    "right"
)]
#[case::lower_case("__host-open-chat-device=wrong", "")]
#[case::behind_a_comma("a=1,__Host-open-chat-device=wrong", "")]
#[case::behind_a_space_of_unicode("a=1; \u{2000}__Host-open-chat-device=wrong", "")]
#[case::with_a_space_before_the_sign("__Host-open-chat-device =wrong", "")]
#[case::two("__Host-open-chat-device=right; __Host-open-chat-device=wrong", "")]
#[case::two_apart(
    "__Host-open-chat-device=right; a=1; b=2; __Host-open-chat-device=wrong; c=3",
    ""
)]
#[tokio::test]
async fn a_paired_browser_s_cookie_alone_is_passed_on(
    #[values(Nginx, HaProxy)] kind: Kind,
    #[case] sent: &str,
    #[case] expected: &str,
) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let sent = format!("Cookie: {sent}\r\n");
    assert_eq!(proxy.ask("/pair", &sent).await.status(), 200);
    let (_, headers) = received(&open_chat.asked());
    let arrived = headers.get("cookie").map(String::as_str);
    let expected = format!("__Host-open-chat-device={expected}");
    assert_eq!(arrived.unwrap_or("__Host-open-chat-device="), expected);

    // The same decides who needs no login.
    open_chat.asked.lock().unwrap().clear();
    let click = proxy.ask(CLICK, &sent).await;
    assert_eq!(click.status() == 200, arrived.is_some());
    assert_eq!(open_chat.asked().len(), usize::from(arrived.is_some()));
}

/// open-chat decides about the cookie, so the click reaches it, without a name; an agent who is
/// logged in is named as ever.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn a_paired_browser_is_not_sent_to_the_login(#[case] kind: Kind) {
    const DEVICE: &str = "__Host-open-chat-device=canary-device";
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let device = format!("Cookie: {DEVICE}\r\n");
    let fetched = "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n";
    let expected = [
        ("host", NAME),
        ("x-forwarded-for", AGENT),
        ("cookie", DEVICE),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut expected = BTreeMap::from(expected);
    for method in ["GET", "POST"] {
        open_chat.asked.lock().unwrap().clear();
        let length = if method == "POST" {
            "Content-Length: 0\r\n"
        } else {
            ""
        };
        let headers = format!("{}{fetched}{length}{device}", FORGED.concat());
        let answer = proxy.connect().await.send(method, CLICK, &headers).await;
        assert_eq!(answer.status(), 200);
        let (line, mut headers) = received(&open_chat.asked());
        assert_eq!(line, format!("{method} {CLICK} HTTP/1.1"));
        headers.remove("content-length");
        assert_eq!(headers, expected);
    }

    open_chat.asked.lock().unwrap().clear();
    let both = match kind {
        Nginx => format!("Cookie: session=canary-session; {DEVICE}\r\n"),
        HaProxy => kind.login() + &device,
    };
    let answer = proxy.ask(CLICK, &format!("{both}{fetched}")).await;
    assert_eq!(answer.status(), 200);
    expected.insert("x-auth-request-email".into(), "ann@example.com".into());
    expected.insert("x-proxy-secret".into(), SECRET.into());
    assert_eq!(received(&open_chat.asked()).1, expected);

    // The cookie opens the click alone.
    for path in ["/builder", "/builder/connectors/browser-extension?crm=x"] {
        assert_eq!(proxy.ask(path, &device).await.status(), 401, "{path}");
    }
    assert_eq!(open_chat.asked().len(), 1);
}

/// A cookie that is not good is refused by open-chat itself.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn an_invented_cookie_opens_nothing(#[case] kind: Kind) {
    let service = open_chat(&format!("invented-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let invented = "Cookie: __Host-open-chat-device=canary-invented\r\n";
    let answer = proxy.ask(CLICK, &(FORGED.concat() + invented)).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.0.contains("identity-missing"), "{}", answer.0);

    let service = open_chat_with_devices(&format!("invented-device-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let fetched = "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n";
    let answer = proxy.ask(CLICK, &format!("{invented}{fetched}")).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.0.contains("problem:device-"), "{}", answer.0);
    // With the login the cookie does not matter.
    let both = match kind {
        Nginx => invented.replace(": ", ": session=canary-session; "),
        HaProxy => kind.login() + invented,
    };
    let answer = proxy.ask(CLICK, &format!("{both}{fetched}")).await;
    assert_eq!(answer.logged().await, "sso:ann@example.com 101 127.0.0.7");
}

/// A browser is paired through the proxy, and opens chats through it, all without a login.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn a_browser_is_paired_and_opens_chats_without_a_login(#[case] kind: Kind) {
    let service = open_chat_with_devices(&format!("paired-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let invitation = device::invitation(102, device::DEVICE);
    let page = format!("/pair?invitation={invitation}");
    let fetched = "Accept: text/html\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n";
    assert_eq!(proxy.ask(&page, fetched).await.status(), 200);

    let own = format!("{fetched}Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n");
    let answer = proxy.connect().await.send("POST", &page, &own).await;
    assert_eq!(answer.status(), 303, "{}", answer.0);
    let set = answer.header("set-cookie");
    let cookie = set.split(';').next().unwrap();
    assert!(cookie.starts_with("__Host-open-chat-device="), "{set}");

    let click = format!("Cookie: other=1; {cookie}\r\n{fetched}Sec-Fetch-Site: cross-site\r\n");
    let answer = proxy.ask(CLICK, &click).await;
    assert_eq!(answer.status(), 302, "{}", answer.0);
    let device = format!("device:{} 102 127.0.0.7", device::DEVICE);
    assert_eq!(answer.logged().await, device);
}

/// A path that leads in without the login leads to nothing else, however it is written.
#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn no_path_leads_round_the_login(#[case] kind: Kind) {
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    for path in [
        "/connect/../open-chat",
        "/connect/bitrix24/../../open-chat",
        "/connect/%2e%2e/open-chat",
        "/connect/.%2E/open-chat",
        "/connect%2f..%2fopen-chat",
        "/connect//../open-chat",
        "/connect/kommo/../../builder",
        "/pair/../open-chat",
        "/pair/..//open-chat",
        "/pair/%2e%2e/builder",
        "/pair/;/../../open-chat",
        "/handler/../builder/connectors/browser-extension",
        "//open-chat",
        "/./open-chat",
        "/open-chat?/pair",
        "/open-chat?/../pair",
    ] {
        let status = proxy.ask(path, "").await.status();
        assert!([400, 401, 404].contains(&status), "{path}: {status}");
        assert_eq!(open_chat.asked(), <[String; 0]>::default(), "{path}");
    }
}

#[rstest]
#[case::nginx(Nginx)]
#[case::haproxy(HaProxy)]
#[tokio::test]
async fn a_connection_carries_many_clicks(#[case] kind: Kind) {
    let service = open_chat(&format!("keep-alive-{}", kind.name())).await;
    let proxy = Proxy::start(kind, address_of(&service)).await;
    let mut connection = proxy.connect().await;
    for _ in 0..2 {
        let answer = connection.ask(CLICK, &kind.login()).await;
        assert_eq!(answer.status(), 302);
    }

    // So does the one between proxy and service.
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    let mut connection = proxy.connect().await;
    for _ in 0..3 {
        let answer = connection.ask(CLICK, &kind.login()).await;
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(open_chat.asked().len(), 3);
    assert_eq!(open_chat.connections.load(Ordering::Relaxed), 1);
}

#[rstest]
#[case::nginx(Nginx, 502)]
#[case::haproxy(HaProxy, 503)]
#[tokio::test]
async fn the_proxy_logs_the_path_and_never_the_query(#[case] kind: Kind, #[case] down: u16) {
    let query = "?phone=0501234567&pass=canary-pass";
    let open_chat = StandIn::open_chat().await;
    let proxy = Proxy::start(kind, open_chat.address).await;
    for path in ["/open-chat", "/metrics"] {
        proxy.ask(&format!("{path}{query}"), &kind.login()).await;
        proxy.ask(&format!("{path}{query}"), &kind.guess()).await;
    }
    // Nobody listens at this address.
    let without = Proxy::start(kind, own_address()).await;
    let answer = without
        .ask(&format!("/open-chat{query}"), &kind.login())
        .await;
    assert_eq!(answer.status(), down);

    for (proxy, last) in [(&proxy, "\"GET /metrics\" 404"), (&without, "/open-chat\"")] {
        eventually("the log has the last request", async || {
            proxy.logs().contains(last)
        })
        .await;
        let logs = proxy.logs();
        for secret in ["0501234567", "canary", "phone", "?"] {
            assert!(!logs.contains(secret), "{secret} is in {logs}");
        }
    }
}

#[tokio::test]
async fn who_goes_round_the_proxy_is_nobody() {
    let service = open_chat("round").await;
    let right = format!("X-Proxy-Secret: {SECRET}\r\n");
    let wrong = "X-Proxy-Secret: canary-guess\r\n";
    for (from, secret, status) in [
        // The proxy itself, so that the others fail for the right reason.
        ("127.0.0.1", right.as_str(), 302),
        ("127.0.0.1", wrong, 401),
        ("127.0.0.1", "", 401),
        (AGENT, right.as_str(), 401),
        (AGENT, wrong, 401),
        (AGENT, "", 401),
    ] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(address_of(&service)).await.unwrap();
        let request = format!(
            "GET {CLICK} HTTP/1.1\r\nHost: {NAME}\r\nX-Auth-Request-Email: ann@example.com\r\n\
             X-Forwarded-For: 127.0.0.1\r\n{secret}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        assert!(read_until(&mut stream, &mut text, is_whole).await);
        let answer = Answer(text);
        assert_eq!(answer.status(), status, "from {from}");
        assert_eq!(
            answer.0.contains("urn:open-chat:problem:identity-missing"),
            status == 401,
            "from {from}"
        );
    }
}
