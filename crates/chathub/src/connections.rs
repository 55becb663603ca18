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

use crate::error::{Error, Unreachable};
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
    ) -> Result<Self, Error> {
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
    fn client(&self, http: &HttpClient, max_idle: usize) -> Result<Arc<Client>, Error> {
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
            .map_err(|_| Error::Unavailable(no_certificates))
    }
}
