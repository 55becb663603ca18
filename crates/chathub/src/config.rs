//! What a client is made with.

use std::sync::Arc;
use std::time::Duration;

use reqwest::ClientBuilder;

use crate::connections::HttpClient;
use crate::credentials::CredentialSource;
use crate::https_url::HttpsUrl;

/// ChatHub's address, as its documents give it.
pub const DEFAULT_URL: &str = "https://chatapi.smsbat.com";

/// How to reach ChatHub, and how much to ask of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Its address.
    pub url: HttpsUrl,
    /// Where the company's credentials come from.
    pub credentials: Arc<dyn CredentialSource>,
    /// How long a connection may take, 1 s by default.
    pub connect_timeout: Duration,
    /// How long one request may take, from the connection to the last byte of the answer; 2 s by
    /// default.
    pub attempt_timeout: Duration,
    /// How long a call may take with everything: waiting for its turn, a login before it, a second
    /// attempt; 5 s by default.
    pub call_budget: Duration,
    /// Requests a second, 40 by default. ChatHub's general page allows 50.
    pub max_rate: u32,
    pub(crate) http: HttpClient,
}

impl ClientConfig {
    /// The defaults.
    pub fn new(url: HttpsUrl, credentials: impl CredentialSource + 'static) -> Self {
        Self {
            url,
            credentials: Arc::new(credentials),
            connect_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(2),
            call_budget: Duration::from_secs(5),
            max_rate: 40,
            http: HttpClient::default(),
        }
    }

    /// Makes the HTTP clients with this builder, for a user agent, a proxy or certificates of the
    /// caller's own. It is called for each new connection pool.
    ///
    /// Redirects (none), repeats (none), `https_only`, the timeouts and the pool are set after it.
    #[must_use]
    pub fn http_client(
        mut self,
        builder: impl Fn() -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http = HttpClient::new(builder);
        self
    }
}
