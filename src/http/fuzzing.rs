//! The way in for `fuzz/`, which cannot see what is private here. Built with `--cfg fuzzing` alone.

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};

use super::device_cookie;
use super::extract::Query;
use super::problem::Kind;
use crate::access::PassConstraints;
use crate::phone::Region;

/// The values of `operator`, `phone`, `chat_raw_id`, `from`, `source` and `pass`.
pub type Values = [Option<String>; 6];

/// Reads a raw query string.
pub fn query(text: &str) -> Result<Values, Kind> {
    Query::of(text).map(|query| values(&query))
}

/// Reads one, and holds it against what a pass fixes.
pub fn bound_query(
    text: &str,
    constraints: PassConstraints,
    region: Region,
) -> Result<Values, Kind> {
    let constraints =
        |mut query: Query<'_>| query.bind(constraints, region).map(|()| values(&query));
    Query::parse(text)
        .and_then(constraints)
        .map_err(|problem| problem.kind)
}

/// Reads a paired browser's cookie from headers, a line each; `None` where one can be no header.
pub fn device_cookies(headers: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    let mut map = HeaderMap::new();
    for header in headers {
        map.append(COOKIE, HeaderValue::from_bytes(header).ok()?);
    }
    let values = device_cookie::values(&map, device_cookie::NAME);
    Some(values.map(<[u8]>::to_vec).collect())
}

fn values(query: &Query<'_>) -> Values {
    [
        query.operator(),
        query.phone(),
        query.chat_raw_id(),
        query.from(),
        query.source(),
        query.pass(),
    ]
    .map(|value| value.map(str::to_owned))
}
