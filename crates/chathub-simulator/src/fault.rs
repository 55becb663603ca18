//! Faults: how an answer goes wrong.

use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{AGE, DATE, LOCATION, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::answer::status;

/// How an answer goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// This status: from 500 on with a page of HTML, as a proxy in front sends it; below with an
    /// empty body, as ChatHub itself refuses.
    Status(u16),
    /// This status with a page of HTML, as a firewall in front of ChatHub sends it.
    Page(u16),
    /// 429 with `Retry-After` in seconds.
    Throttled(u64),
    /// 429 with `Retry-After` as a date, this many seconds ahead on ChatHub's clock.
    ThrottledUntil(u64),
    /// 200 with this body.
    Body(String),
    /// 200 with a body of this many opening brackets.
    Nested(usize),
    /// 200 with a body that never ends.
    Endless,
    /// 307 to this address.
    Redirect(String),
    /// No answer, ever.
    Silence,
    /// A right answer, this many milliseconds late.
    Late(u64),
    /// A right answer whose `Date` is this many seconds ahead of ChatHub's clock (negative:
    /// behind).
    Dated(i64),
    /// A right answer from a cache: its `Date` is this many seconds old, and its `Age` says so.
    Cached(u32),
    /// A right answer, but not before [`crate::Simulator::release`]. For tests, so that nothing in
    /// them depends on how long something takes.
    #[serde(skip)]
    Held,
    /// The connection breaks in the middle of the answer; nothing has been done.
    Reset,
    /// The call is carried out, and then the connection breaks in the middle of the answer.
    ResetAfterwards,
    /// The connection breaks in the middle of the answer, and the call is carried out this many
    /// milliseconds later.
    ResetBefore(u64),
}

impl Fault {
    /// Plays the fault; `now` is the time on ChatHub's clock. `None`: the call is to be carried out
    /// after all.
    pub(crate) async fn play(&self, now: DateTime<Utc>) -> Option<HttpResponse> {
        Some(match self {
            Self::Status(code) if *code < 500 => HttpResponse::build(status(*code))
                .insert_header((DATE, http_date(now)))
                .finish(),
            Self::Status(code) | Self::Page(code) => HttpResponse::build(status(*code))
                .content_type("text/html")
                .body("<html><body><h1>Something went wrong</h1></body></html>"),
            Self::Throttled(seconds) => throttled(&seconds.to_string())
                .body(r#"{"error":"rate_limit","message":"Too many requests","status":429}"#),
            Self::ThrottledUntil(seconds) => {
                let ahead = TimeDelta::seconds(i64::try_from(*seconds).unwrap_or_default());
                throttled(&http_date(now + ahead))
                    .insert_header((DATE, http_date(now)))
                    .finish()
            }
            Self::Body(body) => HttpResponse::Ok().body(body.clone()),
            Self::Nested(depth) => HttpResponse::Ok().body("[".repeat(*depth)),
            Self::Endless => HttpResponse::Ok().body(Stream::Endless),
            Self::Redirect(location) => HttpResponse::TemporaryRedirect()
                .insert_header((LOCATION, location.as_str()))
                .finish(),
            Self::Silence => std::future::pending().await,
            Self::Late(milliseconds) => {
                tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
                return None;
            }
            Self::Reset => broken_off(),
            Self::Held
            | Self::ResetAfterwards
            | Self::ResetBefore(_)
            | Self::Dated(_)
            | Self::Cached(_) => {
                return None;
            }
        })
    }

    /// What the fault makes of a right answer's date and age.
    pub(crate) fn date(&self, answer: &mut HttpResponse, now: DateTime<Utc>) {
        let (ahead, age) = match self {
            Self::Dated(ahead) => (*ahead, None),
            Self::Cached(age) => (-i64::from(*age), Some(*age)),
            _ => return,
        };
        if let Ok(date) = http_date(now + TimeDelta::seconds(ahead)).parse() {
            answer.headers_mut().insert(DATE, date);
        }
        if let Some(age) = age {
            answer.headers_mut().insert(AGE, age.into());
        }
    }
}

/// The form that dates have in HTTP's headers.
pub(crate) fn http_date(date: DateTime<Utc>) -> String {
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn throttled(retry_after: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::TooManyRequests();
    answer.insert_header((RETRY_AFTER, retry_after));
    answer
}

/// An answer that breaks off: a promised body of which only the head arrives.
pub(crate) fn broken_off() -> HttpResponse {
    HttpResponse::Ok().body(Stream::BreaksOff { sent: false })
}

/// Bodies that no well-meaning server sends.
enum Stream {
    Endless,
    BreaksOff { sent: bool },
}

impl MessageBody for Stream {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Self::Error>>> {
        std::task::Poll::Ready(Some(match &mut *self {
            Self::Endless => Ok(Bytes::from_static(&[b'x'; 4096])),
            Self::BreaksOff { sent: sent @ false } => {
                *sent = true;
                Ok(Bytes::from_static(b"\""))
            }
            Self::BreaksOff { sent: true } => Err(std::io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
