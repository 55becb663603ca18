//! The pages: what they show of the company that runs this service.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::{EnvParser, Reported, Variable, on_or_off};
use crate::files;
use crate::language::Language;

pub(super) const VARIABLES: &[Variable] = &[
    // The pages name no company rather than the wrong one.
    Variable::without_default("BRAND_NAME"),
    Variable::without_default("CRM_URL"),
    // Also for those who read neither; SMSBAT's customers who read Ukrainian set it.
    Variable::with_default("DEFAULT_LANGUAGE", "en"),
    // It shows no secret, and spares a CRM admin the documentation.
    Variable::with_default("LINK_BUILDER", "on"),
    Variable::without_default("LOGO_FILE"),
    Variable::without_default("SUPPORT_CONTACT"),
];

/// The longest logo, in bytes: it is part of every page.
const MAX_LOGO: usize = 8 << 10;

/// A longer file is not even read.
const MAX_LOGO_FILE: u64 = 1 << 20;

const MAX_BRAND: usize = 60;
const MAX_CONTACT: usize = 200;

/// What the pages show of the company that runs this service.
#[derive(Debug)]
pub struct PageConfig {
    /// The name of the company, or of the service.
    pub brand: Option<String>,
    /// The logo as a `data:` URL.
    pub logo: Option<String>,
    /// Where an agent asks for help.
    pub support: Option<Contact>,
    /// The address of the agents' CRM.
    pub crm_url: Option<Url>,
    /// The language for a browser whose first choice is none of ours.
    pub language: Language,
    /// Whether there is a link builder.
    pub builder: bool,
}

/// Where an agent asks for help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// In words.
    Text(String),
    /// As a link.
    Link {
        /// `mailto:`, `tel:`, `https:` or `http:`.
        href: String,
        /// What the link reads.
        text: String,
    },
}

impl PageConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let brand = parser.optional("BRAND_NAME", |text| {
            one_line(text, MAX_BRAND).ok_or("must be one line of at most 60 characters")
        });
        let logo = parser.optional("LOGO_FILE", |file| {
            let bytes = files::bytes_in_time(Path::new(file), MAX_LOGO_FILE)
                .map_err(|why| files::unusable(file.as_ref(), why))?;
            logo(&bytes).map_err(|problem| format!("the file {file} {problem}"))
        });
        let support = parser.optional("SUPPORT_CONTACT", Contact::parse);
        let crm_url = parser.optional("CRM_URL", web_address);
        let language = parser.required("DEFAULT_LANGUAGE", |tag| {
            Language::parse(tag).ok_or("neither `en` nor `uk`")
        });
        let builder = parser.required("LINK_BUILDER", on_or_off);
        Ok(Self {
            brand: brand?,
            logo: logo?,
            support: support?,
            crm_url: crm_url?,
            language: language?,
            builder: builder?,
        })
    }
}

impl Contact {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text =
            one_line(text, MAX_CONTACT).ok_or("must be one line of at most 200 characters")?;
        let address = ["mailto:", "tel:"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let shown = if let Some(address) = address {
            address.split('?').next().unwrap_or_default().to_owned()
        } else if text.starts_with("https://") || text.starts_with("http://") {
            web_address(&text)?;
            text.clone()
        } else {
            return Ok(Self::Text(text));
        };
        Ok(Self::Link {
            href: text,
            text: shown,
        })
    }
}

/// Plain `http` is allowed: an agent opens the address, the service sends nothing there.
fn web_address(text: &str) -> Result<Url, &'static str> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .ok_or("not a web address, such as https://crm.example/")
}

fn one_line(text: &str, most: usize) -> Option<String> {
    let fits = text.chars().nth(most).is_none() && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// The type of the picture comes from its content. As a picture an SVG runs no script and loads
/// nothing.
fn logo(bytes: &[u8]) -> Result<String, &'static str> {
    if bytes.len() > MAX_LOGO {
        return Err("is over 8 KiB long");
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_start();
    let kind = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg") {
        "image/svg+xml"
    } else {
        return Err("is neither a PNG nor an SVG");
    };
    Ok(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::words("Ask Olena, room 12", "", "Ask Olena, room 12")]
    #[case::mail(
        "mailto:it@example.com?subject=Chat",
        "mailto:it@example.com?subject=Chat",
        "it@example.com"
    )]
    #[case::phone("tel:+380440000000", "tel:+380440000000", "+380440000000")]
    #[case::web(
        "https://help.example/x",
        "https://help.example/x",
        "https://help.example/x"
    )]
    #[case::no_link("javascript:alert(1)", "", "javascript:alert(1)")]
    fn contacts(#[case] text: &str, #[case] link: &str, #[case] reads: &str) {
        let expected = if link.is_empty() {
            Contact::Text(reads.into())
        } else {
            Contact::Link {
                href: link.into(),
                text: reads.into(),
            }
        };
        assert_eq!(Contact::parse(text), Ok(expected));
    }

    #[test]
    fn what_no_page_can_show() {
        assert!(Contact::parse("two\nlines").is_err());
        assert!(Contact::parse(&"a".repeat(201)).is_err());
        assert!(Contact::parse("https://").is_err());
        assert!(web_address("javascript:alert(1)").is_err());
        assert!(logo(b"GIF89a").is_err());
        assert!(logo(&[b'<'; MAX_LOGO + 1]).is_err());
    }

    #[test]
    fn a_logo_is_known_by_its_content() {
        assert_eq!(
            logo(b"<svg/>").as_deref(),
            Ok("data:image/svg+xml;base64,PHN2Zy8+")
        );
        let xml = logo(b"<?xml version=\"1.0\"?>\n<svg/>").unwrap();
        assert!(xml.starts_with("data:image/svg+xml;base64,"));
        let png = logo(b"\x89PNG\r\n\x1a\n").unwrap();
        assert!(png.starts_with("data:image/png;base64,"));
    }
}
