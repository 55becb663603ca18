//! Style and scripts, which are inlined in pages and allowed by their hash, because a page loads
//! nothing.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

static STYLES: LazyLock<[String; 6]> =
    LazyLock::new(|| PageStyle::ALL.map(|style| compact(style.source())));
pub(super) static STYLE_SOURCES: LazyLock<String> =
    LazyLock::new(|| STYLES.each_ref().map(|style| hash_source(style)).join(" "));
static SCRIPTS: LazyLock<[String; 6]> =
    LazyLock::new(|| PageScript::ALL.map(|script| compact(script.source())));
pub(super) static SCRIPT_SOURCES: LazyLock<[String; 6]> =
    LazyLock::new(|| PageScript::ALL.map(|script| hash_source(script.text())));

/// A part of the style. A page has the common one, and what it needs besides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageStyle {
    /// Of every page.
    Common,
    /// The demo's contacts.
    Contacts,
    /// Buttons that are guarded against clicks that were lured there.
    Guarded,
    /// The instructions for a CRM.
    Guide,
    /// A frame in a CRM.
    CrmPage,
    /// The service's interface.
    Reference,
}

impl PageStyle {
    const ALL: [Self; 6] = [
        Self::Common,
        Self::Contacts,
        Self::Guarded,
        Self::Guide,
        Self::CrmPage,
        Self::Reference,
    ];

    const fn source(self) -> &'static str {
        match self {
            Self::Common => include_str!("style/common.css"),
            Self::Contacts => include_str!("style/contacts.css"),
            Self::Guarded => include_str!("style/guarded.css"),
            Self::Guide => include_str!("style/guide.css"),
            Self::CrmPage => include_str!("style/crm_page.css"),
            Self::Reference => include_str!("style/reference.css"),
        }
    }

    /// As pages have it.
    pub(crate) fn text(self) -> &'static str {
        &STYLES[self as usize]
    }
}

/// The script of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageScript {
    Builder,
    Handler,
    /// A form that is sent once, however often its button is pressed.
    Once,
    CrmPage,
    /// The same, with the phones that Zendesk's own script says.
    Zendesk,
    /// That of the panel, which tells Pipedrive that it is there.
    Pipedrive,
}

impl PageScript {
    const ALL: [Self; 6] = [
        Self::Builder,
        Self::Handler,
        Self::Once,
        Self::CrmPage,
        Self::Zendesk,
        Self::Pipedrive,
    ];

    const fn source(self) -> &'static str {
        match self {
            Self::Builder => include_str!("builder.js"),
            Self::Handler => include_str!("handler.js"),
            Self::Once => include_str!("once.js"),
            Self::CrmPage => include_str!("crm_page.js"),
            Self::Zendesk => concat!(include_str!("crm_page.js"), include_str!("zendesk.js")),
            Self::Pipedrive => concat!(include_str!("crm_page.js"), include_str!("pipedrive.js")),
        }
    }

    /// As pages have it.
    pub(crate) fn text(self) -> &'static str {
        &SCRIPTS[self as usize]
    }
}

/// Leaves out indentation, empty lines and lines of comments. No text in them goes over lines.
fn compact(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let is_comment =
        |line: &str| line.starts_with("//") || line.starts_with("/*") && line.ends_with("*/");
    let lines = lines.filter(|line| !line.is_empty() && !is_comment(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// A CSP hash source: `'sha256-…'`.
fn hash_source(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
}
