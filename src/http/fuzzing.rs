//! The way in for `fuzz/`, which cannot see what is private here. Built with `--cfg fuzzing` alone.

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;

use super::connect::bitrix24;
use super::device_cookie;
use super::extract::{self, Body, Query};
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
    let map = map_of(COOKIE, headers)?;
    let values = device_cookie::values(&map, device_cookie::NAME);
    Some(values.map(<[u8]>::to_vec).collect())
}

/// Reads a field that is there once at most, as `/pair` reads its invitation.
pub fn single_field(form: &[u8], name: &'static str) -> Result<Option<String>, Kind> {
    extract::field(form, name).map_err(|problem| problem.kind)
}

/// Reads the fields of a request of Bitrix24's; those that are there, with their names.
pub fn bitrix24_fields(body: &[u8]) -> Result<Vec<(&'static str, String)>, Kind> {
    let body = Body(Bytes::copy_from_slice(body));
    bitrix24::read_fields(&body).map_err(|problem| problem.kind)
}

/// Reads a header of which there must be one, such as an identity's; `None` where one of the lines
/// can be no header.
pub fn single_header(lines: &[&[u8]]) -> Option<Option<String>> {
    let map = map_of(COOKIE, lines)?;
    Some(extract::headers::single(&map, COOKIE).map(str::to_owned))
}

/// Reads the token of `Authorization: Bearer`.
pub fn bearer(lines: &[&[u8]]) -> Option<Option<String>> {
    let map = map_of(AUTHORIZATION, lines)?;
    Some(extract::bearer(&map).map(str::to_owned))
}

fn map_of(name: HeaderName, lines: &[&[u8]]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for line in lines {
        map.append(name.clone(), HeaderValue::from_bytes(line).ok()?);
    }
    Some(map)
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
