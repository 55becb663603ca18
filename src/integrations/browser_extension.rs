//! The browser extension: the files of `integrations/browser-extension`, with a manifest and a
//! configuration for one company and one browser.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Value, json};

use super::package::pack;
use super::template::service_address;
use super::{CrmOrigin, Package, PackageError};
use chathub::HttpsUrl;

/// The longest id of an extension that Firefox takes, in bytes.
const MAX_ID: usize = 80;

macro_rules! files {
    ($($path:literal)+) => {
        [$(($path, include_bytes!(concat!("../../integrations/browser-extension/", $path)).as_slice())),+]
    };
}

/// What is in every package as it is in the source.
const FILES: [(&str, &[u8]); 13] = files![
    "_locales/en/messages.json"
    "_locales/uk/messages.json"
    "content.js"
    "icons/128.png"
    "icons/16.png"
    "icons/32.png"
    "icons/48.png"
    "link.js"
    "managed-schema.json"
    "options.css"
    "options.html"
    "options.js"
    "settings.js"
];

const WORKER: (&str, &[u8]) = files!["worker.js"][0];

const MANIFEST: &str = include_str!("../../integrations/browser-extension/manifest.json");

/// What runs on a CRM's pages, in this order; the worker of a package without CRMs has the same.
const CONTENT_SCRIPTS: [&str; 4] = ["config.js", "settings.js", "link.js", "content.js"];

named_enum! {
    /// Which browsers a package is for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Browser {
        /// Chromium, Chrome, Edge and what else is made of Chromium.
        #[default]
        Chromium = "chromium",
        /// Firefox.
        Firefox = "firefox",
    }
}

named_enum! {
    /// A kind of phone link, by its scheme or by its host.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Scheme {
        /// `tel:+380501234567`
        Tel = "tel",
        /// `callto:+380501234567`
        Callto = "callto",
        /// `sms:+380501234567`
        Sms = "sms",
        /// `smsto:+380501234567`
        Smsto = "smsto",
        /// `sip:+380501234567@pbx.example`
        Sip = "sip",
        /// `skype:+380501234567?call`
        Skype = "skype",
        /// `viber://chat?number=%2B380501234567`
        Viber = "viber",
        /// `whatsapp://send?phone=380501234567`
        Whatsapp = "whatsapp",
        /// `tg://resolve?phone=380501234567`
        Tg = "tg",
        /// `https://wa.me/380501234567`
        WaMe = "wa.me",
        /// `https://api.whatsapp.com/send?phone=380501234567`
        ApiWhatsapp = "api.whatsapp.com",
        /// `https://t.me/+380501234567`
        TMe = "t.me",
    }
}

impl Browser {
    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl Scheme {
    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What an extension is made for.
#[derive(Clone, Debug)]
pub struct BrowserExtension<'a> {
    /// The address of this service.
    pub public_url: &'a HttpsUrl,
    /// Of the extension: a release's, such as `1.2.3`. What follows a `-` or `+` is left out,
    /// because browsers take numbers alone.
    pub version: &'a str,
    /// On whose pages it works. With none it asks its user for each, by the options page.
    pub crm_origins: &'a [CrmOrigin],
    /// For which browser.
    pub browser: Browser,
    /// The links that open chats.
    pub schemes: &'a [Scheme],
}

/// `config.js`: what the scripts read.
#[derive(Serialize)]
struct Config {
    browser: &'static str,
    crm_origins: Vec<String>,
    schemes: Vec<&'static str>,
    url: String,
}

impl BrowserExtension<'_> {
    /// The package: loaded unpacked, signed or uploaded to a store as it is.
    pub fn package(&self) -> Result<Package, PackageError> {
        let (manifest, config) = (self.manifest()?, self.config()?);
        let mut files = vec![("manifest.json", &*manifest), ("config.js", &*config)];
        files.extend(FILES);
        files.push(WORKER);
        Ok(Package {
            file_name: format!("open-chat-{}.zip", self.browser.name()),
            bytes: pack(&files)?,
        })
    }

    fn config(&self) -> Result<Vec<u8>, PackageError> {
        let config = Config {
            browser: self.browser.name(),
            crm_origins: self.crm_origins.iter().map(ToString::to_string).collect(),
            schemes: self.schemes.iter().map(|scheme| scheme.name()).collect(),
            url: service_address(self.public_url),
        };
        // Each text of JSON is an expression of JavaScript.
        let json = serde_json::to_string(&config)?;
        Ok(format!("globalThis.openChatConfig = {json};\n").into_bytes())
    }

    fn manifest(&self) -> Result<Vec<u8>, PackageError> {
        let mut manifest: Value = serde_json::from_str(MANIFEST)?;
        manifest["version"] = self.version.split(['-', '+']).next().into();
        self.fit_origins(&mut manifest);
        self.fit_browser(&mut manifest);
        Ok(format!("{manifest:#}\n").into_bytes())
    }

    fn fit_origins(&self, manifest: &mut Value) {
        if self.crm_origins.is_empty() {
            // The worker registers the scripts, for what the user allows.
            return;
        }
        let with_port = self.browser == Browser::Chromium;
        let origins = self.crm_origins.iter();
        let mut patterns: Vec<_> = origins.map(|one| one.match_pattern(with_port)).collect();
        patterns.sort();
        patterns.dedup();
        manifest["content_scripts"] = json!([{
            "matches": patterns,
            "js": CONTENT_SCRIPTS,
            "run_at": "document_start",
            "all_frames": true,
            "match_origin_as_fallback": true,
        }]);
        // The pages are fixed, so there is nothing to ask for.
        manifest["permissions"] = json!(["contextMenus", "storage"]);
        remove(manifest, &["optional_host_permissions"]);
    }

    /// Leaves out what is the other browser's.
    fn fit_browser(&self, manifest: &mut Value) {
        match self.browser {
            Browser::Chromium => {
                remove(manifest, &["browser_specific_settings"]);
                remove(&mut manifest["background"], &["scripts"]);
            }
            Browser::Firefox => {
                remove(
                    manifest,
                    &[
                        "externally_connectable",
                        "minimum_chrome_version",
                        "storage",
                    ],
                );
                remove(&mut manifest["background"], &["service_worker"]);
                manifest["browser_specific_settings"]["gecko"]["id"] = self.firefox_id().into();
            }
        }
    }

    /// The company's own: Mozilla signs an id for one account alone.
    fn firefox_id(&self) -> String {
        let host = self.public_url.as_url().host_str().unwrap_or_default();
        let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let name: String = host
            .chars()
            .map(|c| if is_taken(c) { c } else { '-' })
            .collect();
        let id = format!("open-chat@{name}");
        if id.len() <= MAX_ID {
            return id;
        }
        let hash = digest(&SHA256, host.as_bytes());
        format!("open-chat@{}", hex::encode(&hash.as_ref()[..16]))
    }
}

fn remove(object: &mut Value, names: &[&str]) {
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use rstest::rstest;

    use super::*;

    fn package(public: &str, crm: &[&str], browser: Browser) -> Vec<u8> {
        let public_url = &HttpsUrl::parse(public).unwrap();
        let crm_origins = &CrmOrigin::parse_all(crm.iter().copied()).unwrap();
        let extension = BrowserExtension {
            public_url,
            version: "1.2.3-rc.4",
            crm_origins,
            browser,
            schemes: &Scheme::ALL,
        };
        extension.package().unwrap().bytes
    }

    fn file(package: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package)).unwrap();
        let file = archive.by_name(name).unwrap();
        std::io::read_to_string(file).unwrap()
    }

    fn manifest(package: &[u8]) -> Value {
        serde_json::from_str(&file(package, "manifest.json")).unwrap()
    }

    /// A package that changes is another one to those who review and sign it. After a change that
    /// is meant, the new hash belongs here.
    #[rstest]
    #[case(
        Browser::Chromium,
        "8f771a498733cb3be4373e0dace47b4e8cc87ef1527b1b2807ac6740a78db330"
    )]
    #[case(
        Browser::Firefox,
        "b3b2833037ecc025faf7fbd4327c9a90450e435087558e43b8521a4b73a2e020"
    )]
    fn the_same_bytes_each_time(#[case] browser: Browser, #[case] hash: &str) {
        let made = || package("https://chat.example", &["https://crm.example"], browser);
        assert_eq!(made(), made());
        assert_eq!(hex::encode(digest(&SHA256, &made())), hash);
    }

    #[rstest]
    #[case(Browser::Chromium, &["https://crm.example/*", "https://crm.example:8443/*"])]
    #[case(Browser::Firefox, &["https://crm.example/*"])]
    fn it_works_on_the_crm_s_pages_alone(#[case] browser: Browser, #[case] matches: &[&str]) {
        let crm = ["https://crm.example", "https://crm.example:8443"];
        let made = package("https://chat.example/desk/?x=1", &crm, browser);
        let manifest = manifest(&made);
        assert_eq!(manifest["content_scripts"][0]["matches"], json!(matches));
        assert_eq!(manifest["permissions"], json!(["contextMenus", "storage"]));
        assert_eq!(manifest["version"], "1.2.3");
        let asked = [
            "host_permissions",
            "optional_host_permissions",
            "optional_permissions",
        ];
        assert!(
            asked.iter().all(|name| manifest.get(name).is_none()),
            "{manifest}"
        );
        assert_eq!(
            file(&made, "config.js"),
            format!(
                r#"globalThis.openChatConfig = {{"browser":"{}","crm_origins":["https://crm.example","https://crm.example:8443"],"schemes":["tel","callto","sms","smsto","sip","skype","viber","whatsapp","tg","wa.me","api.whatsapp.com","t.me"],"url":"https://chat.example/desk"}};
"#,
                browser.name()
            )
        );
    }

    #[test]
    fn without_a_crm_it_asks_for_each() {
        let manifest = manifest(&package("https://chat.example", &[], Browser::Chromium));
        assert!(manifest.get("content_scripts").is_none());
        assert_eq!(
            manifest["optional_host_permissions"],
            json!(["https://*/*", "http://*/*"])
        );
        assert_eq!(
            manifest["permissions"],
            json!(["contextMenus", "scripting", "storage"])
        );
    }

    /// Neither pages nor other extensions reach it, and it is updated by its store alone.
    #[rstest]
    #[case(Browser::Chromium)]
    #[case(Browser::Firefox)]
    fn it_opens_nothing_to_others(#[case] browser: Browser) {
        let made = package("https://chat.example", &["https://crm.example"], browser);
        let manifest = manifest(&made);
        for name in [
            "web_accessible_resources",
            "update_url",
            "content_security_policy",
            "key",
        ] {
            assert!(manifest.get(name).is_none(), "{name}");
        }
        assert!(!file(&made, "worker.js").contains("External"));
        if browser == Browser::Chromium {
            assert_eq!(manifest["externally_connectable"], json!({"ids": []}));
        }
    }

    #[rstest]
    #[case("https://chat.example:8443/desk", "open-chat@chat.example")]
    #[case("http://[::1]:8080", "open-chat@---1-")]
    #[case(
        "https://chat.a-company-with-a-very-long-name.and-a-department-with-another.example",
        "open-chat@d9e0c0b789b4bf786446bb97b086603c"
    )]
    fn firefox_knows_each_company_s(#[case] public: &str, #[case] id: &str) {
        let manifest = manifest(&package(public, &[], Browser::Firefox));
        assert_eq!(manifest["browser_specific_settings"]["gecko"]["id"], id);
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| {
                if path.is_dir() {
                    files_in(&path)
                } else {
                    vec![path]
                }
            })
            .collect()
    }

    /// What is in the folder and in no package is forgotten, or dead.
    #[test]
    fn every_file_of_the_source_is_in_the_package() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/browser-extension");
        let mut files: BTreeSet<_> = files_in(&source)
            .into_iter()
            .map(|path| {
                path.strip_prefix(&source)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert!(files.remove("README.md"));
        let made = package("https://chat.example", &[], Browser::Chromium);
        let archive = zip::ZipArchive::new(std::io::Cursor::new(made)).unwrap();
        let packed = archive.file_names().map(|name| name.unwrap().into_owned());
        assert_eq!(packed.collect::<BTreeSet<_>>(), files);
    }

    #[test]
    fn both_kinds_of_packages_run_the_same_scripts() {
        let worker = include_str!("../../integrations/browser-extension/worker.js");
        let scripts = CONTENT_SCRIPTS.map(|name| format!("{name:?}")).join(", ");
        assert!(
            worker.contains(&format!("const js = [{scripts}];")),
            "{scripts}"
        );
    }

    /// The folder, which a developer loads as it is.
    #[test]
    fn the_source_has_every_scheme() {
        let schemes = serde_json::to_string(&Scheme::ALL.map(Scheme::name)).unwrap();
        let config = include_str!("../../integrations/browser-extension/config.js");
        assert!(config.contains(&schemes), "{config}");
    }
}
