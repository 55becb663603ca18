//! What a request presents to prove who is calling.

use super::DeviceCookie;

/// The credentials of one request, borrowed from it. They are not verified yet.
///
/// Without `Debug`, which would print them.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// Whether the peer is one of the trusted proxies.
    pub is_from_proxy: bool,
    /// The pass in the query.
    pub pass: Option<&'a str>,
    /// The token that follows `Bearer` in `Authorization`.
    pub bearer: Option<&'a str>,
    /// The identity that a proxy asserts, where it asserts exactly one.
    pub identity: Option<&'a str>,
    /// The secret that the proxy presents beside the identity.
    pub proxy_secret: Option<&'a str>,
    /// The cookie of a paired browser.
    pub device: DeviceCookie<'a>,
    /// The operator in the URL.
    pub operator: Option<&'a str>,
}
