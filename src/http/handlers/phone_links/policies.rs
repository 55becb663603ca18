//! The policies by which a company's browsers open chats from phone links, as browsers read them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::SCHEMES;

/// One for each kind of browser, as JSON.
pub(super) struct Policies {
    /// A file for Chrome and Chromium on Linux.
    pub(super) chromium_file: String,
    /// The policy's value for Chrome and Edge, where policies are set one by one.
    pub(super) chromium_value: String,
    /// Firefox's `policies.json`.
    pub(super) firefox_file: String,
}

/// <https://chromeenterprise.google/policies/#RegisteredProtocolHandlers>
#[derive(Serialize)]
struct ProtocolHandler<'a> {
    protocol: &'a str,
    url: &'a str,
    default: bool,
}

#[derive(Serialize)]
struct ChromiumFile<'a> {
    #[serde(rename = "RegisteredProtocolHandlers")]
    handlers: &'a [ProtocolHandler<'a>],
}

/// <https://mozilla.github.io/policy-templates/#handlers>
#[derive(Serialize)]
struct FirefoxFile<'a> {
    policies: FirefoxPolicies<'a>,
}

#[derive(Serialize)]
struct FirefoxPolicies<'a> {
    #[serde(rename = "Handlers")]
    handlers: FirefoxHandlers<'a>,
}

#[derive(Serialize)]
struct FirefoxHandlers<'a> {
    schemes: BTreeMap<&'a str, FirefoxScheme<'a>>,
}

#[derive(Serialize)]
struct FirefoxScheme<'a> {
    action: &'a str,
    ask: bool,
    handlers: [FirefoxHandler<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirefoxHandler<'a> {
    name: &'a str,
    uri_template: &'a str,
}

impl Policies {
    /// For this URL, with `%s` in it; Firefox shows `name` in its settings.
    pub(super) fn of(url: &str, name: &str) -> Self {
        let handlers = SCHEMES.map(|protocol| ProtocolHandler {
            protocol,
            url,
            default: true,
        });
        let schemes = SCHEMES.map(|scheme| (scheme, firefox_scheme(url, name)));
        let handlers_of_firefox = FirefoxHandlers {
            schemes: schemes.into(),
        };
        Self {
            chromium_file: json(&ChromiumFile {
                handlers: &handlers,
            }),
            chromium_value: json(&handlers),
            firefox_file: json(&FirefoxFile {
                policies: FirefoxPolicies {
                    handlers: handlers_of_firefox,
                },
            }),
        }
    }
}

const fn firefox_scheme<'a>(url: &'a str, name: &'a str) -> FirefoxScheme<'a> {
    FirefoxScheme {
        action: "useHelperApp",
        ask: false,
        handlers: [FirefoxHandler {
            name,
            uri_template: url,
        }],
    }
}

/// Texts and switches are always JSON.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
