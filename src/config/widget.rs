//! The operator panel as a widget: its script, what the script may connect to, and which pages may
//! embed it.

use std::time::Duration;

use super::{EnvParser, Reported, Variable, duration};
use chathub::HttpsUrl;

pub(super) const VARIABLES: &[Variable] = &[
    // Only pages that are named may embed the panel.
    Variable::with_default("WIDGET_FRAME_ANCESTORS", "self"),
    // A working day: an agent opens the CRM in the morning.
    Variable::with_default("WIDGET_SESSION", "12h"),
    // The origins of the script; what it connects to is not documented.
    Variable::with_default("WIDGET_SOURCES", "https://*.smsbat.com,wss://*.smsbat.com"),
    Variable::with_default(
        "WIDGET_URL",
        "https://widget.smsbat.com/operator-chat-panel/widget-script.js",
    ),
];

/// The operator panel for other pages.
#[derive(Debug)]
pub struct WidgetConfig {
    /// The panel's script.
    pub script: HttpsUrl,
    /// Which pages may embed the panel, as `frame-ancestors` writes it.
    pub frame_ancestors: String,
    /// What the page may load from and talk to beside the script's origin, as a
    /// Content-Security-Policy writes it.
    pub sources: String,
    /// How long a page that a pass has opened gets new tokens.
    pub session: Duration,
}

impl WidgetConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let script = parser.required("WIDGET_URL", HttpsUrl::parse);
        let frame_ancestors = parser.required("WIDGET_FRAME_ANCESTORS", frame_ancestors);
        let sources = parser.required("WIDGET_SOURCES", sources);
        let session = parser.required("WIDGET_SESSION", duration);
        Ok(Self {
            script: script?,
            frame_ancestors: frame_ancestors?,
            sources: sources?,
            session: session?,
        })
    }
}

fn frame_ancestors(text: &str) -> Result<String, String> {
    if text == "none" {
        return Ok("'none'".into());
    }
    each(text, |entry| match entry {
        "self" => Ok("'self'".into()),
        origin => origin_of(origin, &["https"], &["http"]),
    })
}

fn sources(text: &str) -> Result<String, String> {
    if text == "none" {
        return Ok(String::new());
    }
    each(text, |entry| {
        origin_of(entry, &["https", "wss"], &["http", "ws"])
    })
}

fn each(text: &str, read: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let entries = text.split(',').map(|entry| read(entry.trim()));
    Ok(entries.collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// `https://crm.example`, `https://*.crm.example:8443`. An origin goes into a header unchanged, so
/// only letters, digits and a few marks are allowed.
fn origin_of(text: &str, secure: &[&str], on_loopback: &[&str]) -> Result<String, String> {
    let is_origin = text.split_once("://").is_some_and(|(scheme, authority)| {
        let (host, port) = authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port)));
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let is_loopback = ["localhost", "127.0.0.1"].contains(&host);
        is_name
            && port.is_none_or(|port| port.parse::<u16>().is_ok())
            && (secure.contains(&scheme) || is_loopback && on_loopback.contains(&scheme))
    });
    is_origin.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "`{text}` is not an origin, such as https://crm.example (http:// is for loopback only)"
        )
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("none", "'none'")]
    #[case("self", "'self'")]
    #[case(
        "self, https://*.crm.example,https://crm.example:8443",
        "'self' https://*.crm.example https://crm.example:8443"
    )]
    #[case("http://127.0.0.1:9000", "http://127.0.0.1:9000")]
    fn pages_that_may_embed_the_panel(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(frame_ancestors(text).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("*")]
    #[case("https:")]
    #[case("https://")]
    #[case("https://*.")]
    #[case("http://crm.example")]
    #[case("crm.example")]
    #[case("https://crm.example/path")]
    #[case("https://crm.example; script-src *")]
    #[case("https://crm.example:port")]
    #[case("self,none")]
    #[case("self,,https://crm.example")]
    #[case("wss://crm.example")]
    fn what_is_no_origin_is_refused(#[case] text: &str) {
        assert!(frame_ancestors(text).is_err());
    }

    #[test]
    fn scripts_may_reach_more_than_pages_may_be() {
        assert_eq!(
            sources("https://*.smsbat.com, wss://*.smsbat.com").as_deref(),
            Ok("https://*.smsbat.com wss://*.smsbat.com")
        );
        assert_eq!(sources("none").as_deref(), Ok(""));
        assert!(sources("self").is_err());
    }
}
