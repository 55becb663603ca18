//! Salesforce: classes, a page and buttons, in the source format.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-salesforce.zip",
    files: files_of!["salesforce":
        "README.md"
        "README.uk.md"
        "force-app/main/default/classes/OpenChat.cls"
        "force-app/main/default/classes/OpenChat.cls-meta.xml"
        "force-app/main/default/classes/OpenChatTest.cls"
        "force-app/main/default/classes/OpenChatTest.cls-meta.xml"
        "force-app/main/default/customMetadata/OpenChat_Setting.Default.md-meta.xml"
        "force-app/main/default/objects/Account/webLinks/Open_Chat.webLink-meta.xml"
        "force-app/main/default/objects/Case/webLinks/Open_Chat.webLink-meta.xml"
        "force-app/main/default/objects/Contact/webLinks/Open_Chat.webLink-meta.xml"
        "force-app/main/default/objects/Lead/webLinks/Open_Chat.webLink-meta.xml"
        "force-app/main/default/objects/OpenChat_Setting__mdt/OpenChat_Setting__mdt.object-meta.xml"
        "force-app/main/default/objects/OpenChat_Setting__mdt/fields/Certificate__c.field-meta.xml"
        "force-app/main/default/objects/OpenChat_Setting__mdt/fields/Url__c.field-meta.xml"
        "force-app/main/default/pages/OpenChat.page"
        "force-app/main/default/pages/OpenChat.page-meta.xml"
        "force-app/main/default/permissionsets/OpenChat.permissionset-meta.xml"
        "pass-keys.toml"
        "sfdx-project.json"
    ],
    settings: include_str!("../../integrations/salesforce/pass-keys.toml"),
};
