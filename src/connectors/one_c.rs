//! 1C:Enterprise and BAS: texts that are pasted, with their guide.

use super::crm_package::CrmPackage;

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-1c.zip",
    files: &[
        (
            "README.md",
            include_bytes!("../../integrations/1c/README.md"),
        ),
        ("form.bsl", include_bytes!("../../integrations/1c/form.bsl")),
        ("pass-keys.toml", SETTINGS.as_bytes()),
        // The example of docs/crm.md.
        ("sign.bsl", include_bytes!("../../docs/signing/sign.bsl")),
    ],
    settings: SETTINGS,
};

const SETTINGS: &str = include_str!("../../integrations/1c/pass-keys.toml");
