//! A package for a CRM: the files of a folder of `integrations/`, with this service's address in
//! them, and what this service has to be told of it.

use chathub::HttpsUrl;

use super::package::pack;
use super::template::fill;
use super::{Package, PackageError};

/// What is installed in a CRM, or pasted into it.
#[derive(Debug)]
pub struct CrmPackage {
    /// What it is saved as.
    pub(super) file_name: &'static str,
    /// (Path, content), in the order of the archive.
    pub(super) files: &'static [(&'static str, &'static [u8])],
    /// The part of a file of settings, in TOML, with a comment that says which file's.
    pub(super) settings: &'static str,
}

/// The files of a folder of `integrations/`, in the order of the archive.
macro_rules! files_of {
    ($folder:literal: $($path:literal)+) => {
        &[$(($path, include_bytes!(concat!("../../integrations/", $folder, "/", $path)))),+]
    };
}
pub(super) use files_of;

impl CrmPackage {
    /// The archive. `version` is a release's, such as `1.2.3`; what follows a `-` or `+` is left
    /// out.
    pub fn package(&self, public_url: &HttpsUrl, version: &str) -> Result<Package, PackageError> {
        let fill = |(path, content): &(&'static str, &[u8])| {
            Ok((*path, fill(path, content, public_url, version)?))
        };
        let files: Result<Vec<_>, PackageError> = self.files.iter().map(fill).collect();
        let files = files?;
        let files: Vec<_> = files
            .iter()
            .map(|(path, content)| (*path, &**content))
            .collect();
        Ok(Package {
            file_name: self.file_name.into(),
            bytes: pack(&files)?,
        })
    }

    /// What this service is told, with its address in it: an entry for `PASS_KEYS_FILE` or a
    /// section for `CONNECTORS_FILE`, as its first line says. The secrets' files are examples.
    pub fn settings(&self, public_url: &HttpsUrl) -> Result<String, PackageError> {
        let filled = fill("settings.toml", self.settings.as_bytes(), public_url, "")?;
        Ok(String::from_utf8_lossy(&filled).into_owned())
    }

    /// One file of the package as text, such as the code that is pasted into a CRM; `None` where
    /// there is no such text.
    pub fn text(&self, path: &str, public_url: &HttpsUrl) -> Option<String> {
        let (path, content) = self.files.iter().find(|(name, _)| *name == path)?;
        let filled = fill(path, content, public_url, "").ok()?;
        String::from_utf8(filled).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Cursor;
    use std::path::{Path, PathBuf};

    use aws_lc_rs::digest::{SHA256, digest};
    use rstest::rstest;
    use zip::ZipArchive;

    use super::*;
    use crate::integrations::Integration;

    fn package(integration: Integration) -> Package {
        let public_url = HttpsUrl::parse("https://chat.example/").unwrap();
        let crm = integration.crm_package().unwrap();
        crm.package(&public_url, "1.2.3-rc.4").unwrap()
    }

    /// A package that changes is another one to those who review it. After a change that is meant,
    /// the new hash belongs here.
    #[rstest]
    #[case(
        Integration::Kommo,
        "1876016db8284f03482fe37d615d9ba076fcfcbd9ceae56d91502c4f3534b6a9"
    )]
    #[case(
        Integration::Hubspot,
        "7558db934d4f86f4c23f4d730938dd27c8bf03ceddc991b68096889b99270fa2"
    )]
    #[case(
        Integration::Odoo,
        "57dd6e7bc342e35898ee5da84db932716df504100761cddcb3425a3038f80ebc"
    )]
    #[case(
        Integration::Salesforce,
        "7e0400f1a6f3afddb10ff0e94fb8511c05eef296426e9e0126cad20ca747a0cf"
    )]
    #[case(
        Integration::SuiteCrm,
        "dedac508ccc5a406470fff6678edb4109d2dfdbc758c875a0ed2bd120ab03ae5"
    )]
    #[case(
        Integration::Zendesk,
        "d9f59ede39545276992261ef5b2f111860c88e3bffec142e019ef12c805e925d"
    )]
    #[case(
        Integration::Zoho,
        "e462e9b21734c7fc84d1a4e5a18c98c4dbf0ddf6a93a826632d11d2593a9ce76"
    )]
    #[case(
        Integration::OneC,
        "74552cd58aba3ec015e6177176b680a2c092b697e1915bae574950d7c10da9fb"
    )]
    fn the_same_bytes_each_time(#[case] integration: Integration, #[case] hash: &str) {
        let made = package(integration);
        assert_eq!(made.bytes, package(integration).bytes);
        assert_eq!(
            made.file_name,
            format!("open-chat-{}.zip", integration.name())
        );
        assert_eq!(hex::encode(digest(&SHA256, &made.bytes)), hash);
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let below = |path: PathBuf| {
            if path.is_dir() {
                files_in(&path)
            } else {
                vec![path]
            }
        };
        paths.flat_map(below).collect()
    }

    /// What is in the folder and in no package is forgotten, or dead. Kommo and Zendesk take
    /// their own files alone.
    #[rstest]
    #[case(Integration::Kommo, &["README.md", "README.uk.md", "connectors.toml"])]
    #[case(Integration::Hubspot, &[])]
    #[case(Integration::Zendesk, &["README.md", "README.uk.md", "connectors.toml"])]
    #[case(Integration::Odoo, &[])]
    #[case(Integration::Salesforce, &[])]
    #[case(Integration::SuiteCrm, &[])]
    #[case(Integration::Zoho, &[])]
    #[case(Integration::OneC, &[])]
    fn every_file_of_the_source_is_in_the_package(
        #[case] integration: Integration,
        #[case] left_out: &[&str],
    ) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("integrations")
            .join(integration.name());
        let relative = |path: PathBuf| {
            path.strip_prefix(&source)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let mut files: BTreeSet<_> = files_in(&source).into_iter().map(relative).collect();
        files.retain(|path| !left_out.contains(&&**path) && !path.contains("__pycache__"));
        let archive = ZipArchive::new(Cursor::new(package(integration).bytes)).unwrap();
        let packed = archive.file_names().map(|name| name.unwrap().into_owned());
        assert_eq!(packed.collect::<BTreeSet<_>>(), files);
    }

    /// The example of docs/programmers.md, which the image is built without.
    #[test]
    fn the_signature_of_1c_is_the_guide_s() {
        let guide = include_str!("../../docs/signing/sign.bsl");
        assert_eq!(include_str!("../../integrations/1c/sign.bsl"), guide);
    }

    #[test]
    fn code_to_paste_has_the_address_in_it() {
        let public_url = HttpsUrl::parse("https://chat.example:8443/desk/").unwrap();
        let text = |integration: Integration, path| {
            integration.crm_package().unwrap().text(path, &public_url)
        };
        let deluge = text(Integration::Zoho, "open_chat.dg").unwrap();
        assert!(
            deluge.contains("openUrl(\"https://chat.example:8443/desk/open-chat?pass=\""),
            "{deluge}"
        );
        let form = text(Integration::OneC, "form.bsl").unwrap();
        assert!(
            form.contains("\"https://chat.example:8443/desk/open-chat?pass=\""),
            "{form}"
        );
        assert_eq!(text(Integration::Zoho, "form.bsl"), None);
    }

    #[test]
    fn the_service_is_told_its_own_address() {
        let public_url = HttpsUrl::parse("https://chat.example:8443/desk/").unwrap();
        let settings = Integration::Salesforce
            .crm_package()
            .unwrap()
            .settings(&public_url)
            .unwrap();
        assert!(
            settings.contains("audience = \"https://chat.example:8443/desk\"\n"),
            "{settings}"
        );
    }
}
