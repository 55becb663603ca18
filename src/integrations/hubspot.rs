//! HubSpot: a project with a card for the sidebar of records.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-hubspot.zip",
    files: files_of!["hubspot":
        "README.md"
        "README.uk.md"
        "connectors.toml"
        "hsproject.json"
        "src/app/app-hsmeta.json"
        "src/app/cards/Card.tsx"
        "src/app/cards/helpdesk-hsmeta.json"
        "src/app/cards/link.ts"
        "src/app/cards/package.json"
        "src/app/cards/phones.ts"
        "src/app/cards/record-hsmeta.json"
        "src/app/cards/words.ts"
    ],
    settings: include_str!("../../integrations/hubspot/connectors.toml"),
};
