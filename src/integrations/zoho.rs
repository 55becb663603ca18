//! Zoho CRM: a function that is pasted, with its guide.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-zoho.zip",
    files: files_of!["zoho":
        "README.md"
        "README.uk.md"
        "open_chat.dg"
        "pass-keys.toml"
    ],
    settings: include_str!("../../integrations/zoho/pass-keys.toml"),
};
