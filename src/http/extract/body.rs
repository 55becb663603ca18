//! A request's body, of a bounded length and in a bounded time.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};

use crate::http::problem::{Kind, Problem};

/// The longest body that is read, in bytes: a few times what a link's values take.
pub const MAX_BODY: usize = 16 << 10;

/// How long a body may take to arrive, like a head.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The whole body.
pub(crate) struct Body(pub(crate) Bytes);

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async {
            let body = payload
                .map_err(|_| unreadable())?
                .to_bytes_limited(MAX_BODY);
            match timeout(TIMEOUT, body).await {
                Ok(Ok(Ok(body))) => Ok(Self(body)),
                _ => Err(unreadable()),
            }
        })
    }
}

fn unreadable() -> Problem {
    let detail = "The body is over 16 KiB long, or has not arrived.";
    Problem::new(Kind::ParameterInvalid, detail)
}
