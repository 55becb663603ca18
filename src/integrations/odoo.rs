//! Odoo: two addons, for contacts and for leads.

use super::crm_package::{CrmPackage, files_of};

pub(super) const PACKAGE: CrmPackage = CrmPackage {
    file_name: "open-chat-odoo.zip",
    files: files_of!["odoo":
        "README.md"
        "README.uk.md"
        "open_chat/__init__.py"
        "open_chat/__manifest__.py"
        "open_chat/chat_url.py"
        "open_chat/data/ir_config_parameter.xml"
        "open_chat/i18n/uk.po"
        "open_chat/models/__init__.py"
        "open_chat/models/open_chat_mixin.py"
        "open_chat/models/res_config_settings.py"
        "open_chat/models/res_partner.py"
        "open_chat/views/res_config_settings_views.xml"
        "open_chat/views/res_partner_views.xml"
        "open_chat_crm/__init__.py"
        "open_chat_crm/__manifest__.py"
        "open_chat_crm/i18n/uk.po"
        "open_chat_crm/models/__init__.py"
        "open_chat_crm/models/crm_lead.py"
        "open_chat_crm/views/crm_lead_views.xml"
        "pass-keys.toml"
    ],
    settings: include_str!("../../integrations/odoo/pass-keys.toml"),
};
