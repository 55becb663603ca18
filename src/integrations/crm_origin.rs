//! The origin of a CRM: `https://crm.example`, as an administrator writes it.
//!
//! Match patterns of browsers are made of it, in which a star, a path or a second host would reach
//! pages of other sites, so everything but scheme, host and port is refused.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

use crate::printable;

/// The most origins that a package is made for.
pub const MAX_ORIGINS: usize = 16;

/// How much of a wrong origin an error repeats, in characters.
const MAX_SHOWN: usize = 100;

/// `http` or `https`, a host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmOrigin(Url);

/// A text is no origin of a CRM; the error repeats it as one printable line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` {fault}")]
pub struct CrmOriginError {
    /// What was given, at most 100 characters of it.
    pub text: String,
    /// What is wrong with it.
    pub fault: CrmOriginFault,
}

/// What is wrong with an origin. `Display` goes on after the origin.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CrmOriginFault {
    /// It is no URL.
    #[error("is not an address, such as https://crm.example.")]
    NotAnAddress,
    /// Another scheme than the two.
    #[error("must begin with https:// or http://.")]
    Scheme,
    /// The host is neither a name nor an IP address, or has a wildcard.
    #[error(
        "has a host that is neither a plain name nor an IP address: name each CRM, a star stands for nothing here."
    )]
    Host,
    /// There is more than an origin.
    #[error("must end after the host or its port, without a user, a path or parameters.")]
    NotAlone,
    /// It is one over [`MAX_ORIGINS`].
    #[error("is one CRM too many: at most 16 can be named.")]
    TooMany,
}

impl CrmOrigin {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, CrmOriginError> {
        read(text.trim())
            .map(Self)
            .map_err(|fault| CrmOriginError::of(text, fault))
    }

    /// Reads several, as [`Self::distinct`].
    pub fn parse_all<'a>(
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Self>, CrmOriginError> {
        let origins: Result<Vec<_>, _> = texts.into_iter().map(Self::parse).collect();
        Self::distinct(origins?)
    }

    /// One that is there twice counts once. Refuses more than [`MAX_ORIGINS`].
    pub fn distinct(all: impl IntoIterator<Item = Self>) -> Result<Vec<Self>, CrmOriginError> {
        let mut origins: Vec<Self> = Vec::new();
        for origin in all {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        match origins.get(MAX_ORIGINS) {
            Some(last) => Err(CrmOriginError::of(
                &last.to_string(),
                CrmOriginFault::TooMany,
            )),
            None => Ok(origins),
        }
    }

    /// The match pattern of all its pages. Firefox has none for a port.
    pub(super) fn match_pattern(&self, with_port: bool) -> String {
        let port = self.0.port().filter(|_| with_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = self.0.host_str().unwrap_or_default();
        format!("{}://{host}{port}/*", self.0.scheme())
    }
}

/// `https://crm.example:8443`
impl fmt::Display for CrmOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl CrmOriginError {
    fn of(text: &str, fault: CrmOriginFault) -> Self {
        let text = printable::one_line(text.trim());
        Self {
            text: text.chars().take(MAX_SHOWN).collect(),
            fault,
        }
    }
}

fn read(text: &str) -> Result<Url, CrmOriginFault> {
    let url = Url::parse(text).map_err(|_| CrmOriginFault::NotAnAddress)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(CrmOriginFault::Scheme);
    }
    if !is_origin(&url, text) {
        return Err(CrmOriginFault::NotAlone);
    }
    if !has_plain_host(&url) {
        return Err(CrmOriginFault::Host);
    }
    Ok(url)
}

/// Whether there is nothing else. A parser of URLs drops line breaks, an empty user and the
/// direction of slashes, so the text itself is looked at too.
fn is_origin(url: &Url, text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '\\');
    url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !text.contains(is_odd)
}

fn has_plain_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            name.split('.')
                .all(|label| !label.is_empty() && label.bytes().all(is_plain))
        }
        address => address.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://crm.example", "https://crm.example", "https://crm.example/*")]
    #[case(
        " https://CRM.example/ ",
        "https://crm.example",
        "https://crm.example/*"
    )]
    #[case(
        "https://crm.example:443",
        "https://crm.example",
        "https://crm.example/*"
    )]
    #[case("http://crm:8069", "http://crm:8069", "http://crm:8069/*")]
    #[case(
        "https://срм.example",
        "https://xn--l1ahc.example",
        "https://xn--l1ahc.example/*"
    )]
    #[case("http://192.0.2.7:81", "http://192.0.2.7:81", "http://192.0.2.7:81/*")]
    #[case("http://[::1]:81", "http://[::1]:81", "http://[::1]:81/*")]
    fn origins(#[case] text: &str, #[case] origin: &str, #[case] pattern: &str) {
        let read = CrmOrigin::parse(text).unwrap();
        assert_eq!(read.to_string(), origin);
        assert_eq!(read.match_pattern(true), pattern);
    }

    #[rstest]
    #[case("https://*", CrmOriginFault::Host)]
    #[case("https://*.com", CrmOriginFault::Host)]
    #[case("https://a;b.com", CrmOriginFault::Host)]
    #[case("https://a,b.com", CrmOriginFault::Host)]
    #[case("https://a_b.com", CrmOriginFault::Host)]
    #[case("https://a\"b.com", CrmOriginFault::Host)]
    #[case("https://.com", CrmOriginFault::Host)]
    #[case("https://crm.example.", CrmOriginFault::Host)]
    #[case("https://crm.example/login", CrmOriginFault::NotAlone)]
    #[case("https://crm.example/*", CrmOriginFault::NotAlone)]
    #[case("https://crm.example?", CrmOriginFault::NotAlone)]
    #[case("https://crm.example#", CrmOriginFault::NotAlone)]
    #[case("https://ann@crm.example", CrmOriginFault::NotAlone)]
    #[case("https://@crm.example", CrmOriginFault::NotAlone)]
    #[case("https:\\\\crm.example", CrmOriginFault::NotAlone)]
    #[case("https://crm.ex\nample", CrmOriginFault::NotAlone)]
    #[case("ftp://crm.example", CrmOriginFault::Scheme)]
    #[case("javascript:alert(1)", CrmOriginFault::Scheme)]
    #[case("crm.example", CrmOriginFault::NotAnAddress)]
    #[case("https://", CrmOriginFault::NotAnAddress)]
    #[case("<all_urls>", CrmOriginFault::NotAnAddress)]
    #[case("*://*/*", CrmOriginFault::NotAnAddress)]
    #[case("", CrmOriginFault::NotAnAddress)]
    fn no_origins(#[case] text: &str, #[case] fault: CrmOriginFault) {
        assert_eq!(CrmOrigin::parse(text).unwrap_err().fault, fault);
    }

    #[test]
    fn an_error_repeats_a_bounded_line() {
        let error =
            CrmOrigin::parse(&format!("https://*\u{1b}[2J{}", "x".repeat(500))).unwrap_err();
        assert!(error.text.starts_with("https://*"), "{error}");
        assert!(error.text.chars().count() <= MAX_SHOWN, "{error}");
        assert!(!error.text.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn at_most_sixteen_that_differ() {
        let names: Vec<_> = (1..=17)
            .map(|number| format!("https://crm{number}.example"))
            .collect();
        let texts = || names.iter().map(String::as_str);
        let sixteen = texts().take(16).chain(["https://crm1.example/"]);
        assert_eq!(CrmOrigin::parse_all(sixteen).unwrap().len(), 16);
        assert_eq!(
            CrmOrigin::parse_all(texts()).unwrap_err().to_string(),
            "`https://crm17.example` is one CRM too many: at most 16 can be named."
        );
    }
}
