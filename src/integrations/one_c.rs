//! 1C:Enterprise and BAS: texts that are pasted, with their guide.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-1c.zip",
    files: files_of!["1c":
        "README.md"
        "README.uk.md"
        "form.bsl"
        "pass-keys.toml"
        "sign.bsl"
    ],
    settings: include_str!("../../integrations/1c/pass-keys.toml"),
};
