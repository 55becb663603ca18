//! SuiteCRM: a module with an entry point.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-suitecrm.zip",
    files: files_of!["suitecrm":
        "README.md"
        "README.uk.md"
        "custom/Extension/application/Ext/EntryPointRegistry/openchat.php"
        "custom/openchat/chat_url.php"
        "custom/openchat/click.php"
        "custom/openchat/open.php"
        "manifest.php"
        "pass-keys.toml"
    ],
    settings: include_str!("../../integrations/suitecrm/pass-keys.toml"),
};
