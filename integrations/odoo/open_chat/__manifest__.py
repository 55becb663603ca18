{
    "name": "Open chat",
    "summary": "A button on contacts: open the chat with this client in SMSBAT ChatHub",
    "version": "0.0.0",
    "category": "Sales/CRM",
    "author": "open-chat",
    "license": "LGPL-3",
    "depends": ["base_setup"],
    "data": [
        "data/ir_config_parameter.xml",
        "views/res_config_settings_views.xml",
        "views/res_partner_views.xml",
    ],
}
