//! The connections to ChatHub: the pool that is kept for later requests, and new ones.
//!
//! A pooled connection leads to where ChatHub's name led when it was opened. So the pool is
//! discarded as a whole, with its TLS sessions, when there is a reason to distrust it; every new
//! connection looks the name up again.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use connect_error::NoConnection;
use reqwest::{Client, ClientBuilder, redirect};

use crate::error::{ErrorKind, Unreachable};
use crate::https_url::HttpsUrl;

/// An idle connection is closed before a server's usual keep-alive (nginx 75 s, Kestrel 130 s, many
/// proxies 60 s) ends it under a request.
const POOL_IDLE: Duration = Duration::from_secs(45);

/// Makes the builder of each `reqwest` client, for what this crate does not set itself: a user
/// agent, a proxy, certificates, a resolver.
#[derive(Clone)]
pub(crate) struct HttpClient(Arc<dyn Fn() -> ClientBuilder + Send + Sync>);

impl HttpClient {
    pub(crate) fn new(builder: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self(Arc::new(builder))
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        let agent = concat!("chathub/", env!("CARGO_PKG_VERSION"));
        Self::new(move || Client::builder().user_agent(agent))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

/// What this crate sets after the caller's builder, so that it cannot be lost.
#[derive(Debug)]
struct Limits {
    connect_timeout: Duration,
    attempt_timeout: Duration,
    pool_idle: Duration,
    is_loopback: bool,
}

/// The connections.
#[derive(Debug)]
pub(crate) struct Connections {
    pooled: RwLock<Arc<Client>>,
    new: Arc<Client>,
    http: HttpClient,
    limits: Limits,
}

impl Connections {
    /// Fails where the machine has no usable certificate store.
    pub(crate) fn new(
        base: &HttpsUrl,
        http: HttpClient,
        connect_timeout: Duration,
        attempt_timeout: Duration,
    ) -> Result<Self, ErrorKind> {
        let limits = Limits {
            connect_timeout,
            attempt_timeout,
            pool_idle: POOL_IDLE,
            is_loopback: base.is_loopback(),
        };
        Ok(Self {
            pooled: RwLock::new(limits.client(&http, usize::MAX)?),
            new: limits.client(&http, 0)?,
            http,
            limits,
        })
    }

    /// A client that uses a pooled connection, if there is one.
    pub(crate) fn pooled(&self) -> Arc<Client> {
        let pooled = self.pooled.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&pooled)
    }

    /// A client that opens a new connection for each request.
    pub(crate) fn unpooled(&self) -> Arc<Client> {
        Arc::clone(&self.new)
    }

    /// Discards the pool if it is still that of `suspect`. Requests in flight go on.
    pub(crate) fn discard(&self, suspect: &Arc<Client>) {
        if !Arc::ptr_eq(&self.pooled(), suspect) {
            return;
        }
        if let Ok(client) = self.limits.client(&self.http, usize::MAX) {
            *self.pooled.write().unwrap_or_else(PoisonError::into_inner) = client;
        }
    }
}

impl Limits {
    fn client(&self, http: &HttpClient, max_idle: usize) -> Result<Arc<Client>, ErrorKind> {
        let HttpClient(builder) = http;
        let mut builder = builder()
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.attempt_timeout)
            .timeout(self.attempt_timeout)
            .pool_idle_timeout(self.pool_idle)
            .pool_max_idle_per_host(max_idle)
            // Neither a password nor a token may follow a redirect.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .https_only(!self.is_loopback);
        if self.is_loopback {
            builder = builder.no_proxy();
        }
        // Of what is set by default, nothing else can be wrong.
        let no_certificates = Unreachable::NoConnection(NoConnection::NoCertificates);
        builder
            .build()
            .map(Arc::new)
            .map_err(|_| ErrorKind::Unavailable(no_certificates))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    use reqwest::dns::{Name, Resolve, Resolving};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// A caller's builder that undoes whatever it can.
    fn careless() -> ClientBuilder {
        Client::builder()
            .connect_timeout(60 * MINUTE)
            .read_timeout(60 * MINUTE)
            .timeout(60 * MINUTE)
            .pool_idle_timeout(60 * MINUTE)
            .pool_max_idle_per_host(100)
            .redirect(redirect::Policy::limited(10))
            .https_only(false)
    }

    fn client(limits: &Limits, max_idle: usize) -> Arc<Client> {
        limits.client(&HttpClient::new(careless), max_idle).unwrap()
    }

    const fn patient() -> Limits {
        Limits {
            connect_timeout: MINUTE,
            attempt_timeout: MINUTE,
            pool_idle: MINUTE,
            is_loopback: true,
        }
    }

    /// Answers every request with this, where `NUMBER` is that of its connection; with
    /// `LATE`, after a while.
    fn serve(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                thread::spawn(move || {
                    let (mut stream, mut request) = (stream.unwrap(), [0; 4096]);
                    while stream.read(&mut request).is_ok_and(|read| read > 0) {
                        if answer == LATE {
                            thread::sleep(Duration::from_millis(20));
                        }
                        let answer = answer.replace("NUMBER", &number.to_string());
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        address
    }

    async fn get(client: &Client, address: SocketAddr) -> reqwest::Result<String> {
        let response = client.get(format!("http://{address}/")).send().await?;
        response.error_for_status()?.text().await
    }

    const LATE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate";
    const NUMBERED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nNUMBER";

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let address = serve("HTTP/1.1 307 Elsewhere\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        let answer = get(&client(&patient(), 1), address).await;
        assert_eq!(answer.unwrap(), "", "an error where it is followed");
    }

    #[tokio::test]
    async fn only_loopback_may_be_asked_in_the_clear() {
        let address = serve(NUMBERED);
        let limits = Limits {
            is_loopback: false,
            ..patient()
        };
        let error = get(&client(&limits, 1), address).await.unwrap_err();
        assert!(error.is_builder(), "{error:?}");
        assert!(get(&client(&patient(), 1), address).await.is_ok());
    }

    #[tokio::test]
    async fn a_request_has_a_timeout() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let limits = Limits {
            attempt_timeout: Duration::from_millis(1),
            ..patient()
        };
        let client = client(&limits, 1);
        let asked = get(&client, silent.local_addr().unwrap());
        let error = tokio::time::timeout(MINUTE, asked).await.unwrap();
        assert!(error.unwrap_err().is_timeout());
    }

    #[tokio::test]
    async fn a_caller_s_timeouts_do_not_count() {
        let hasty: [fn() -> ClientBuilder; 2] = [
            || Client::builder().timeout(Duration::from_millis(1)),
            || Client::builder().read_timeout(Duration::from_millis(1)),
        ];
        let address = serve(LATE);
        for builder in hasty {
            let client = patient().client(&HttpClient::new(builder), 1).unwrap();
            assert_eq!(get(&client, address).await.unwrap(), "late");
        }
    }

    #[tokio::test]
    async fn a_connection_has_a_timeout() {
        struct Never;
        impl Resolve for Never {
            fn resolve(&self, _: Name) -> Resolving {
                Box::pin(std::future::pending())
            }
        }
        let limits = Limits {
            connect_timeout: Duration::from_millis(1),
            is_loopback: false,
            ..patient()
        };
        let http = HttpClient::new(|| careless().dns_resolver(Never).no_proxy());
        let client = limits.client(&http, 1).unwrap();
        let asked = client.get("https://chathub.example/").send();
        let error = tokio::time::timeout(MINUTE, asked).await.unwrap();
        assert!(error.unwrap_err().is_connect());
    }

    #[tokio::test]
    async fn the_pool_is_as_large_as_it_is_meant() {
        let address = serve(NUMBERED);
        let (pooled, unpooled) = (client(&patient(), 1), client(&patient(), 0));
        for (client, number) in [
            (&pooled, "0"),
            (&pooled, "0"),
            (&unpooled, "1"),
            (&unpooled, "2"),
        ] {
            assert_eq!(get(client, address).await.unwrap(), number);
        }
    }

    #[tokio::test]
    async fn an_idle_connection_is_given_up() {
        let address = serve(NUMBERED);
        let limits = Limits {
            pool_idle: Duration::from_millis(1),
            ..patient()
        };
        let client = client(&limits, 1);
        assert_eq!(get(&client, address).await.unwrap(), "0");
        thread::sleep(Duration::from_millis(2));
        assert_eq!(get(&client, address).await.unwrap(), "1");
    }
}
