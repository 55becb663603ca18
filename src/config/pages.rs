//! What the pages show of the company that runs this service.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::environment::Environment;
use super::reader::{Reader, Reported, on_or_off};
use crate::files;

/// A logo stands in every page, and every page is read at a click.
const MAX_LOGO: usize = 8 << 10;

/// More than that is not even read.
const MAX_LOGO_FILE: u64 = 1 << 20;

const MAX_BRAND: usize = 60;
const MAX_CONTACT: usize = 200;

/// What the pages show of the company that runs this service.
#[derive(Debug)]
pub struct PageConfig {
    /// The company's name, or the service's.
    pub brand: Option<String>,
    /// The logo as a `data:` URL.
    pub logo: Option<String>,
    /// Where an agent asks for help.
    pub support: Option<Contact>,
    /// Where the agents' CRM is.
    pub crm_url: Option<Url>,
    /// Whether there is a link builder.
    pub builder: bool,
}

/// Where an agent asks for help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// In words.
    Text(String),
    /// By a link.
    Link {
        /// `mailto:`, `tel:`, `https:` or `http:`.
        href: String,
        /// What the link reads.
        text: String,
    },
}

impl PageConfig {
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Reported> {
        let brand = reader.read_optional("BRAND_NAME", env.brand_name.as_ref(), |text| {
            one_line(text, MAX_BRAND).ok_or("must be one line of at most 60 characters")
        });
        let logo = reader.read_optional("LOGO_FILE", env.logo_file.as_ref(), |file| {
            let bytes = files::bytes_in_time(Path::new(file), MAX_LOGO_FILE)
                .map_err(|error| format!("the file {file} cannot be used: {error}"))?;
            logo(&bytes).map_err(|problem| format!("the file {file} {problem}"))
        });
        let support = reader.read_optional(
            "SUPPORT_CONTACT",
            env.support_contact.as_ref(),
            Contact::parse,
        );
        let crm_url = reader.read_optional("CRM_URL", env.crm_url.as_ref(), web_address);
        let builder = reader.read("LINK_BUILDER", env.link_builder.as_ref(), on_or_off);
        Ok(Self {
            brand: brand?,
            logo: logo?,
            support: support?,
            crm_url: crm_url?,
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
        if let Some(address) = address {
            let address = address.split('?').next().unwrap_or_default().to_owned();
            return Ok(Self::Link {
                href: text,
                text: address,
            });
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            web_address(&text)?;
            return Ok(Self::Link {
                href: text.clone(),
                text,
            });
        }
        Ok(Self::Text(text))
    }
}

/// An agent follows it, nothing is sent to it: plain `http` will do.
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

/// What the picture is, its content says. As a picture an SVG runs no script and loads nothing.
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
    fn whom_to_ask(#[case] text: &str, #[case] link: &str, #[case] reads: &str) {
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
