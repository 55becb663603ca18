//! Zendesk: an app in the sidebar of tickets and users.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-zendesk.zip",
    files: files_of!["zendesk":
        "assets/logo-small.png"
        "assets/logo.png"
        "manifest.json"
        "translations/en.json"
        "translations/uk.json"
    ],
    settings: include_str!("../../integrations/zendesk/connectors.toml"),
};

/// The rules of Zendesk's own checker, as far as they are about such an app
/// (`zendesk/zendesk_apps_support`, `lib/zendesk_apps_support/validations`).
#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use chathub::HttpsUrl;
    use regex::Regex;
    use serde_json::{Map, Value};
    use url::Url;
    use zip::ZipArchive;

    use crate::integrations::Integration;

    /// `Location::LOCATIONS_AVAILABLE` of the product Support.
    const LOCATIONS: [&str; 10] = [
        "top_bar",
        "nav_bar",
        "ticket_sidebar",
        "new_ticket_sidebar",
        "user_sidebar",
        "organization_sidebar",
        "background",
        "modal",
        "ticket_editor",
        "system_top_bar",
    ];

    fn files(public_url: &str) -> Vec<(String, Vec<u8>)> {
        let public_url = HttpsUrl::parse(public_url).unwrap();
        let package = Integration::Zendesk.crm_package().unwrap();
        let package = package.package(&public_url, "1.2.3-rc.4").unwrap();
        let mut archive = ZipArchive::new(Cursor::new(package.bytes)).unwrap();
        (0..archive.len())
            .map(|index| {
                let mut file = archive.by_index(index).unwrap();
                let mut content = Vec::new();
                file.read_to_end(&mut content).unwrap();
                (file.name().unwrap().into_owned(), content)
            })
            .collect()
    }

    fn json(files: &[(String, Vec<u8>)], path: &str) -> Map<String, Value> {
        let (_, content) = files.iter().find(|(name, _)| name == path).expect(path);
        serde_json::from_slice(content).unwrap()
    }

    /// `Validations::Manifest`.
    #[test]
    fn the_manifest_is_one_of_an_app_with_signed_pages() {
        let files = files("https://chat.example:8443/desk/");
        let manifest = json(&files, "manifest.json");
        let text = |name: &str| manifest[name].as_str().unwrap();
        assert_eq!(text("frameworkVersion"), "2.0");
        assert_eq!(text("version"), "1.2.3");
        for name in ["private", "signedUrls"] {
            assert_eq!(manifest[name], Value::Bool(true), "{name}");
        }
        let author = manifest["author"].as_object().unwrap();
        assert!(author.values().all(Value::is_string));
        let url = Url::parse(author["url"].as_str().unwrap()).unwrap();
        assert!(url.has_host() && ["http", "https"].contains(&url.scheme()));
        let locale = text("defaultLocale");
        assert!(
            files
                .iter()
                .any(|(path, _)| *path == format!("translations/{locale}.json"))
        );
        assert_eq!(manifest["parameters"], Value::Array(Vec::new()));
        let products = manifest["location"].as_object().unwrap();
        assert!(products.keys().eq(["support"]));
        let locations = products["support"].as_object().unwrap();
        assert!(!locations.is_empty());
        for (name, options) in locations {
            assert!(LOCATIONS.contains(&&**name), "{name}");
            assert!(options["flexible"].is_boolean());
            let url = options["url"].as_str().unwrap();
            assert_eq!(url, "https://chat.example:8443/desk/connect/zendesk");
        }
    }

    /// `Validations::Translations`.
    #[test]
    fn the_texts_have_what_each_language_needs() {
        let locale = Regex::new("^[a-z]{2,3}(-[0-9A-Za-z_]{2,3})?$").unwrap();
        let files = files("https://chat.example");
        let mut languages = Vec::new();
        for (path, _) in &files {
            let name = path.strip_prefix("translations/");
            let Some(name) = name.and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            assert!(locale.is_match(name), "{name}");
            let texts = json(&files, path);
            assert!(texts.keys().eq(["app"]));
            let app = texts["app"].as_object().unwrap();
            for key in [
                "name",
                "short_description",
                "long_description",
                "installation_instructions",
            ] {
                assert!(app[key].is_string(), "{path}: {key}");
            }
            assert_eq!(app.len(), 4);
            languages.push(name);
        }
        assert_eq!(languages, ["en", "uk"]);
    }

    /// `Package#generate_logo_hash`, `Validations::{Mime, Secrets, Requests}`; the sizes are those
    /// of Zendesk's guide.
    #[test]
    fn the_logos_and_nothing_suspicious_are_in_it() {
        let words = Regex::new("(?i)password|secret|auth_?(key|pass|user)|api_key|token|http://");
        let words = words.unwrap();
        for (path, content) in files("https://chat.example") {
            let size = match &*path {
                "assets/logo.png" => 320_u32,
                "assets/logo-small.png" => 128,
                _ => {
                    let text = std::str::from_utf8(&content).unwrap();
                    assert!(!words.is_match(text), "{path}");
                    continue;
                }
            };
            assert_eq!(content[..8], *b"\x89PNG\r\n\x1a\n");
            assert_eq!(content[16..20], size.to_be_bytes());
            assert_eq!(content[20..24], size.to_be_bytes());
        }
    }
}
