//! Kommo and amoCRM: a widget that takes clicks on phones.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-kommo.zip",
    files: files_of!["kommo":
        "i18n/en.json"
        "i18n/uk.json"
        "images/logo.png"
        "images/logo_dp.png"
        "images/logo_main.png"
        "images/logo_medium.png"
        "images/logo_min.png"
        "images/logo_small.png"
        "manifest.json"
        "script.js"
    ],
    settings: include_str!("../../integrations/kommo/connectors.toml"),
};
