//! An address that a secret may be sent to: `https`, or plain `http` on this very machine.
//!
//! ChatHub gets the company's password, the chat panel gets operator tokens; neither may cross a
//! network in the clear.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// An absolute `https` URL (or `http` on loopback) without a user, a password or a fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpsUrl(Url);

/// Why a text is no such address. `Display` completes "the address …".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpsUrlError {
    /// It is not an absolute URL.
    #[error("is not a URL")]
    NotAUrl,
    /// A secret would cross the network in the clear.
    #[error("must begin with https:// (http:// is for loopback only)")]
    NotHttps,
    /// It has a user, a password or a fragment.
    #[error("must not contain a user, a password or a fragment (#)")]
    Unusable,
}

impl HttpsUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, HttpsUrlError> {
        let url = Url::parse(text).map_err(|_| HttpsUrlError::NotAUrl)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(HttpsUrlError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(HttpsUrlError::Unusable);
        }
        Ok(Self(url))
    }

    /// Whether the address is on this machine, where nothing crosses a network.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The parsed URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://chat.smsbat.com")]
    #[case("https://chat.example/desk?theme=dark")]
    #[case("http://127.0.0.1:9000/")]
    #[case("http://[::1]:9000")]
    #[case("http://localhost:9000")]
    fn a_secret_may_go_there(#[case] text: &str) {
        assert!(HttpsUrl::parse(text).is_ok());
    }

    #[rstest]
    #[case("chat.smsbat.com", HttpsUrlError::NotAUrl)]
    #[case("http://chat.smsbat.com/", HttpsUrlError::NotHttps)]
    #[case("javascript:alert(1)", HttpsUrlError::NotHttps)]
    #[case("http://localhost.evil.example/", HttpsUrlError::NotHttps)]
    #[case("https://user@chat.smsbat.com/", HttpsUrlError::Unusable)]
    #[case("https://chat.smsbat.com/#top", HttpsUrlError::Unusable)]
    fn a_secret_may_not_go_there(#[case] text: &str, #[case] error: HttpsUrlError) {
        assert_eq!(HttpsUrl::parse(text), Err(error));
    }
}
