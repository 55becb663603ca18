//! Reading a header's text.

use actix_web::http::header::{AsHeaderName, HeaderMap, HeaderName};

/// The text of a header's first value.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A header's text where it is there once: of two, a proxy and this service might each read
/// another.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    // Names are not always ASCII. White space that is not is a part of the value: of an identity
    // that is not the same without it.
    str::from_utf8(value.as_bytes())
        .ok()
        .map(str::trim_ascii)
        .filter(|text| !text.is_empty() && !text.contains(char::is_control))
}
