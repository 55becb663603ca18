//! What the sections of all vendors have in common: one installation each.

use std::path::PathBuf;

use super::Vendor;
use crate::access::Scope;
use crate::reload::Files;
use crate::secret::{Secret, SecretSource};
use chathub::HttpsUrl;

/// The least length of a vendor's secret, in bytes.
pub(super) const MIN_SECRET: usize = 16;

/// An installation of a vendor's CRM, and who its agents are.
#[derive(Clone, Debug)]
pub struct Section {
    /// The vendor.
    pub connector: Vendor,
    /// What the installation is known by: its host, or its number where the vendor has those.
    pub installation: String,
    /// The origin of its pages, `https://acme.kommo.com`; `None` where the vendor has no origin for
    /// each.
    pub origin: Option<String>,
    /// What stands before an agent's id in the operator map.
    pub prefix: String,
    /// Whether an agent may be known by the e-mail address that the vendor proves.
    pub by_email: bool,
    /// The operators whose chats its agents may open.
    pub operators: Scope,
    /// What the installation has vouched with: tickets end when it changes.
    pub(super) vouching: Secret,
}

/// The settings of a section that every vendor has.
pub(super) struct Common {
    pub(super) prefix: Option<String>,
    pub(super) by_email: bool,
    pub(super) operators: Scope,
}

impl Common {
    pub(super) fn section(
        self,
        connector: Vendor,
        place: Place,
        vouching: Secret,
    ) -> Result<Section, String> {
        let prefix = self.prefix.unwrap_or(connector.default_prefix().into());
        check_prefix(&prefix)?;
        Ok(Section {
            connector,
            installation: place.installation,
            origin: place.origin,
            prefix,
            by_email: self.by_email,
            operators: self.operators,
            vouching,
        })
    }
}

/// An id in front of which there is no mark, or a digit, could be another agent's.
fn check_prefix(prefix: &str) -> Result<(), String> {
    let is_plain = !prefix.is_empty()
        && prefix.trim() == prefix
        && !prefix.contains(char::is_control)
        && !prefix.ends_with(|letter: char| letter.is_numeric());
    is_plain.then_some(()).ok_or_else(|| {
        "`prefix` must not be empty, end in a digit, or begin or end with white space".into()
    })
}

/// Where an installation is.
pub(super) struct Place {
    pub(super) installation: String,
    pub(super) origin: Option<String>,
}

impl Place {
    /// A number, where the vendor's pages all have one origin.
    pub(super) fn number(number: u64) -> Self {
        Self {
            installation: number.to_string(),
            origin: None,
        }
    }

    /// A host, or an origin: https, or http on loopback. The only entry of the list `name`.
    pub(super) fn only(name: &str, entries: &[String]) -> Result<Self, String> {
        match entries {
            [entry] => Self::of_host(name, entry),
            _ => Err(format!(
                "`{name}` must have one entry: another installation is another [[section]], with a prefix of its own"
            )),
        }
    }

    /// A host, or an origin: https, or http on loopback.
    pub(super) fn of_host(name: &str, text: &str) -> Result<Self, String> {
        let origin = origin(text).ok_or_else(|| {
            format!(
                "`{name}` must be a host, such as acme.example, or an origin: https://, or http:// on this machine, without a path"
            )
        })?;
        let (_, host) = origin.split_once("://").unwrap_or_default();
        Ok(Self {
            installation: host.to_owned(),
            origin: Some(origin),
        })
    }
}

/// The origin of a host or an origin, in the one spelling that browsers send.
fn origin(text: &str) -> Option<String> {
    let url = if text.contains("://") {
        HttpsUrl::parse(text)
    } else {
        HttpsUrl::parse(&format!("https://{text}"))
    };
    let url = url.ok()?;
    let url = url.as_url();
    let host = url.host_str()?;
    let is_plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    let is_alone = url.path() == "/" && url.query().is_none() && !text.ends_with('.');
    (is_plain && is_alone).then(|| url.origin().ascii_serialization())
}

/// Reads a secret, from the section or from the file that it names.
pub(super) fn secret(
    files: &mut Files,
    name: &str,
    text: Option<String>,
    file: Option<PathBuf>,
    least: usize,
) -> Result<Option<Secret>, String> {
    let source = match (text, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("`{name}` and `{name}_file` exclude each other")),
        (Some(text), None) => Secret::new(text).into(),
        (None, Some(path)) => SecretSource::file(path),
    };
    let secret = files.secret(&source)?;
    let length = secret.expose().trim().len();
    if length < least {
        return Err(format!("`{name}` must have at least {least} bytes"));
    }
    Ok(Some(secret))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("acme.kommo.com", Some("https://acme.kommo.com"))]
    #[case("ACME.kommo.com", Some("https://acme.kommo.com"))]
    #[case("https://acme.kommo.com", Some("https://acme.kommo.com"))]
    #[case("https://acme.kommo.com/", Some("https://acme.kommo.com"))]
    #[case("https://acme.kommo.com:443", Some("https://acme.kommo.com"))]
    #[case("crm.example:8443", Some("https://crm.example:8443"))]
    #[case("http://127.0.0.1:9000", Some("http://127.0.0.1:9000"))]
    #[case("http://acme.kommo.com", None)]
    #[case("https://acme.kommo.com/path", None)]
    #[case("https://acme.kommo.com?x", None)]
    #[case("https://user@acme.kommo.com", None)]
    #[case("https://*.kommo.com", None)]
    #[case("*", None)]
    #[case("acme.kommo.com.", None)]
    #[case("a;b.com", None)]
    #[case("null", Some("https://null"))]
    #[case("", None)]
    fn an_installation_is_a_host_or_an_origin(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(origin(text).as_deref(), expected);
    }
}
