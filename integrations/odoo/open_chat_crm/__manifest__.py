{
    "name": "Open chat on leads",
    "summary": "The button of Open chat on leads and opportunities",
    "version": "0.0.0",
    "category": "Sales/CRM",
    "author": "open-chat",
    "license": "LGPL-3",
    "depends": ["crm", "open_chat"],
    "data": ["views/crm_lead_views.xml"],
    "auto_install": True,
}
