//! One request to ChatHub and its answer: headers, size caps, status → error.
//!
//! It does not log in and does not retry.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, AGE, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use url::Url;

use crate::circuit_breaker::MAX_RETRY_AFTER;
use crate::clock::{Clock, Dated};
use crate::endpoint::Endpoint;
use crate::error::{BadAnswer, Error, ErrorKind, Unreachable};
use crate::https_url::HttpsUrl;
use connect_error::NoConnection;
use secrecy::{ExposeSecret as _, SecretString};

const PROFILE_KEY: HeaderName = HeaderName::from_static("x-authorization-key");

/// How a call is authorized.
#[derive(Clone, Debug)]
pub(crate) enum Authorization {
    /// Not at all: the login itself.
    None,
    /// `Authorization: Bearer`, for a company token.
    Bearer(SecretString),
    /// `X-Authorization-Key`, for a profile key.
    ProfileKey(SecretString),
}

/// One call, ready to be sent any number of times.
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    query: Option<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Call {
    /// A call without a body.
    pub(crate) const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            query: None,
            body: None,
        }
    }

    /// Adds a query parameter.
    pub(crate) fn query(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.query = Some((name, value.to_string()));
        self
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        // Our own types have string keys and no failing serializer; were it ever to fail, ChatHub
        // would answer 400.
        self.body = serde_json::to_vec(body).ok();
        self
    }
}

/// Where ChatHub is.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    base: Url,
}

impl Transport {
    pub(crate) fn new(base: &HttpsUrl) -> Self {
        let mut base = base.as_url().clone();
        base.set_query(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Self { base }
    }

    /// Host and port, as they are connected to.
    pub(crate) fn address(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Sends the call once and reads the answer's body; `clock` learns from its `Date`.
    /// `traceparent` is sent as the header of that name.
    ///
    /// 401 is [`Unreachable::TokenRefused`] where a company token was shown, and
    /// [`ErrorKind::CredentialsRejected`] where a key or a login was.
    pub(crate) async fn send(
        &self,
        call: &Call,
        client: &Client,
        authorization: &Authorization,
        traceparent: Option<String>,
        clock: &Clock,
    ) -> Result<Vec<u8>, Error> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}api/{}", self.base.path(), call.endpoint.name()));
        if let Some((name, value)) = &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = client
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
        let sent = Instant::now();
        let response = request.send().await.map_err(failure)?;
        let date = date(&response, DATE);
        // What has an age comes from a cache, and its date with it.
        if let Some(date) = date.filter(|_| !response.headers().contains_key(AGE)) {
            clock.learn(Dated {
                date,
                sent,
                received: Instant::now(),
                is_list: call.endpoint.is_list(),
            });
        }
        let chathub_now = date.unwrap_or_else(|| clock.now());
        match refusal(&response, call.endpoint, chathub_now) {
            Some(ErrorKind::CredentialsRejected) if authorization.is_token() => {
                Err(ErrorKind::Unavailable(Unreachable::TokenRefused).into())
            }
            Some(refusal) => Err(refusal.into()),
            None => read(response, call.endpoint.max_answer()).await,
        }
    }
}

impl Authorization {
    const fn is_token(&self) -> bool {
        matches!(self, Self::Bearer(_))
    }
}

/// Marked as sensitive, so that no `Debug` of a request shows it.
fn secret_header(scheme: &str, secret: &SecretString) -> Result<HeaderValue, ErrorKind> {
    let mut value = HeaderValue::from_str(&format!("{scheme}{}", secret.expose_secret()))
        .map_err(|_| ErrorKind::CredentialsRejected)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > max {
            return Err(ErrorKind::BadAnswer(BadAnswer::TooLong).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What the answer's status says, unless that all is well.
fn refusal(
    response: &Response,
    endpoint: Endpoint,
    chathub_now: DateTime<Utc>,
) -> Option<ErrorKind> {
    let status = response.status();
    Some(match status {
        _ if status.is_success() => return None,
        _ if status.is_redirection() => ErrorKind::BadAnswer(BadAnswer::Redirect),
        _ if status.is_server_error() => {
            ErrorKind::Unavailable(Unreachable::Status(status.as_u16()))
        }
        // A firewall's page says nothing about the password.
        StatusCode::FORBIDDEN if endpoint == Endpoint::CompanyToken && is_text(response) => {
            ErrorKind::Unavailable(Unreachable::Login(status.as_u16()))
        }
        // Nor does a page for people say anything about an operator or an account.
        StatusCode::NOT_FOUND if is_page(response) => ErrorKind::BadAnswer(BadAnswer::NoChatHub),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if is_page(response) => {
            ErrorKind::BadAnswer(BadAnswer::Page)
        }
        StatusCode::UNAUTHORIZED => ErrorKind::CredentialsRejected,
        StatusCode::FORBIDDEN => ErrorKind::NotPermitted,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::REQUEST_TIMEOUT => ErrorKind::TimedOut,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled {
            retry_after: retry_after(response, chathub_now),
        },
        _ if status.is_client_error() => ErrorKind::InvalidRequest {
            status: status.as_u16(),
        },
        _ => ErrorKind::BadAnswer(BadAnswer::NotDocumented),
    })
}

/// Whether the answer is a page of HTML, which ChatHub itself never sends.
fn is_page(response: &Response) -> bool {
    has_content_type(response, b"text/html")
}

/// Whether the answer has a text for people. ChatHub's own refusals have JSON or nothing.
fn is_text(response: &Response) -> bool {
    has_content_type(response, b"text/")
}

fn has_content_type(response: &Response, head: &[u8]) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().get(..head.len()))
        .is_some_and(|value| value.eq_ignore_ascii_case(head))
}

fn date(response: &Response, header: HeaderName) -> Option<DateTime<Utc>> {
    let date = response.headers().get(header)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|date| date.to_utc())
}

/// `Retry-After`: seconds, or a date on the clock of whatever wrote it; an hour at most.
fn retry_after(response: &Response, chathub_now: DateTime<Utc>) -> Option<Duration> {
    let asked = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if asked.bytes().all(|byte| byte.is_ascii_digit()) && !asked.is_empty() {
        Duration::from_secs(asked.parse().unwrap_or(u64::MAX))
    } else {
        (date(response, RETRY_AFTER)? - chathub_now).to_std().ok()?
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// What an error of reqwest means.
fn failure(error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() {
        ErrorKind::TimedOut
    } else if error.is_connect() {
        ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::of(&error)))
    } else {
        ErrorKind::Unavailable(Unreachable::Broken)
    };
    Error::of_http(kind, error)
}
