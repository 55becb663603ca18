//! One request to ChatHub and its answer: headers, size caps, status → error.
//!
//! The only place in the crate that touches reqwest. It does not log in, does not try again, and waits as long as it is let.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Response, StatusCode, redirect};
use serde::Serialize;
use url::Url;

use super::clock::Clock;
use super::endpoint::Endpoint;
use super::error::{BadAnswer, Error, Unreachable};
use crate::https_url::HttpsUrl;
use crate::secret::Secret;

const PROFILE_KEY: HeaderName = HeaderName::from_static("x-authorization-key");

/// An idle connection is given up before a server's usual keep-alive (nginx 75 s, Kestrel 130 s, many proxies 60 s) ends it under
/// a request.
const POOL_IDLE: Duration = Duration::from_secs(45);

/// What opens the call.
#[derive(Clone, Debug)]
pub(super) enum Authorization {
    /// Nothing: the login itself.
    None,
    /// `Authorization: Bearer`, for a company token.
    Bearer(Secret),
    /// `X-Authorization-Key`, for a profile key.
    ProfileKey(Secret),
}

/// One call, ready to be sent any number of times.
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    query: Option<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Call {
    /// A call without a body.
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            query: None,
            body: None,
        }
    }

    /// Adds a query parameter.
    pub(super) fn query(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.query = Some((name, value.to_string()));
        self
    }

    /// Adds a JSON body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        // Our own types have string keys and no failing serializer; were it ever to fail, ChatHub would answer 400.
        self.body = serde_json::to_vec(body).ok();
        self
    }
}

/// The connections to ChatHub.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    kept: reqwest::Client,
    new: reqwest::Client,
    base: Url,
}

/// Which connection a request goes out on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    /// One that is kept, if there is one.
    Kept,
    /// A new one: where one that was kept has just turned out dead, the others may be dead too.
    New,
}

impl Transport {
    pub(super) fn new(base: &HttpsUrl, connect_timeout: Duration) -> Result<Self, Error> {
        let client = |most_kept| {
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("open-chat/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(most_kept)
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .https_only(!base.is_loopback());
            if base.is_loopback() {
                builder = builder.no_proxy();
            }
            // It fails where the machine has no usable certificate store, which is as good as no connection.
            builder
                .build()
                .map_err(|_| Error::Unavailable(Unreachable::NoConnection))
        };
        let (kept, new) = (client(usize::MAX)?, client(0)?);
        let mut base = base.as_url().clone();
        base.set_query(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { kept, new, base })
    }

    /// Sends the call once and reads the answer's body; `clock` learns from its `Date`. `traceparent` tells ChatHub of our trace.
    ///
    /// 401 is [`Error::CredentialsRejected`]: what was shown does not open this.
    pub(super) async fn send(
        &self,
        call: &Call,
        connection: Connection,
        authorization: &Authorization,
        traceparent: Option<String>,
        clock: &Clock,
    ) -> Result<Vec<u8>, Error> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}api/{}", self.base.path(), call.endpoint.name()));
        if let Some((name, value)) = &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let http = match connection {
            Connection::Kept => &self.kept,
            Connection::New => &self.new,
        };
        let mut request = http
            .request(call.endpoint.method(), url)
            // The GETs document this header as required, and answer JSON all the same.
            .header(ACCEPT, "text/plain");
        request = match authorization {
            Authorization::None => request,
            Authorization::Bearer(token) => {
                request.header(AUTHORIZATION, secret_header("Bearer ", token)?)
            }
            Authorization::ProfileKey(key) => request.header(PROFILE_KEY, secret_header("", key)?),
        };
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let sent = Utc::now();
        let response = request.send().await.map_err(|error| failure(&error))?;
        if let Some(date) = date(&response) {
            clock.learn(date, sent, Utc::now());
        }
        refuse_failures(&response)?;
        read(response, call.endpoint.max_answer()).await
    }
}

/// Marked as sensitive, so that no `Debug` of a request shows it.
fn secret_header(scheme: &str, secret: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("{scheme}{}", secret.expose()))
        .map_err(|_| Error::CredentialsRejected)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > max {
            return Err(Error::BadAnswer(BadAnswer::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refuse_failures(response: &Response) -> Result<(), Error> {
    let status = response.status();
    Err(match status {
        _ if status.is_success() => return Ok(()),
        _ if status.is_redirection() => Error::BadAnswer(BadAnswer::Redirect),
        _ if status.is_server_error() => Error::Unavailable(Unreachable::Status(status.as_u16())),
        // A page for people is no verdict of ChatHub's on an operator or an account.
        StatusCode::NOT_FOUND if is_page(response) => Error::BadAnswer(BadAnswer::NoChatHub),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if is_page(response) => {
            Error::BadAnswer(BadAnswer::Page)
        }
        StatusCode::UNAUTHORIZED => Error::CredentialsRejected,
        StatusCode::FORBIDDEN => Error::NotPermitted,
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::REQUEST_TIMEOUT => Error::TimedOut,
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled {
            retry_after: retry_after(response),
        },
        _ if status.is_client_error() => Error::InvalidRequest {
            status: status.as_u16(),
        },
        _ => Error::BadAnswer(BadAnswer::NotDocumented),
    })
}

fn is_page(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| {
        let value = value.as_bytes();
        value
            .get(..9)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"text/html"))
    })
}

fn date(response: &Response) -> Option<DateTime<Utc>> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|date| date.to_utc())
}

/// `Retry-After` in seconds. Its other form, a date, depends on two clocks and is not documented here.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Keeps the class of a reqwest error and drops the rest: its text names the URL.
fn failure(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        Error::TimedOut
    } else if error.is_connect() {
        Error::Unavailable(Unreachable::NoConnection)
    } else {
        Error::Unavailable(Unreachable::Broken)
    }
}
