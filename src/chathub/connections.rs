//! The connections to ChatHub: those that are kept for the next request, and new ones.
//!
//! A kept connection leads where ChatHub's name led when it was opened. So what is kept is
//! forgotten as a whole, with the TLS sessions, when there is a reason to distrust it; every new
//! connection looks the name up again.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::{Client, redirect};

use super::error::{Error, Unreachable};
use crate::https_url::HttpsUrl;
use crate::no_connection::NoConnection;

/// An idle connection is given up before a server's usual keep-alive (nginx 75 s, Kestrel 130 s,
/// many proxies 60 s) ends it under a request.
const POOL_IDLE: Duration = Duration::from_secs(45);

/// The connections.
#[derive(Debug)]
pub(super) struct Connections {
    kept: ArcSwap<Client>,
    new: Arc<Client>,
    connect_timeout: Duration,
    is_loopback: bool,
}

impl Connections {
    /// Fails where the machine has no usable certificate store.
    pub(super) fn new(base: &HttpsUrl, connect_timeout: Duration) -> Result<Self, Error> {
        let is_loopback = base.is_loopback();
        let client = |most_kept| client(connect_timeout, is_loopback, most_kept).map(Arc::new);
        Ok(Self {
            kept: ArcSwap::new(client(usize::MAX)?),
            new: client(0)?,
            connect_timeout,
            is_loopback,
        })
    }

    /// A client that uses a connection that is kept, if there is one.
    pub(super) fn kept(&self) -> Arc<Client> {
        self.kept.load_full()
    }

    /// A client that opens a new connection for each request.
    pub(super) fn new_one(&self) -> Arc<Client> {
        Arc::clone(&self.new)
    }

    /// Forgets the connections that are kept where they are still those of `suspect`. Requests that
    /// are out go on.
    pub(super) fn forget(&self, suspect: &Arc<Client>) {
        if !Arc::ptr_eq(&self.kept.load(), suspect) {
            return;
        }
        if let Ok(client) = client(self.connect_timeout, self.is_loopback, usize::MAX) {
            self.kept.store(Arc::new(client));
        }
    }
}

fn client(connect_timeout: Duration, is_loopback: bool, most_kept: usize) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .user_agent(concat!("open-chat/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(most_kept)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .https_only(!is_loopback);
    if is_loopback {
        builder = builder.no_proxy();
    }
    // Nothing else that is set here can be wrong.
    builder
        .build()
        .map_err(|_| Error::Unavailable(Unreachable::NoConnection(NoConnection::NoCertificates)))
}
