from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    # Kept as system parameters, which Odoo lets administrators read and no other user.
    open_chat_url = fields.Char(
        string="Address of the service",
        config_parameter="open_chat.url",
        groups="base.group_system",
    )
    open_chat_secret = fields.Char(
        string="Secret of the service",
        config_parameter="open_chat.secret",
        groups="base.group_system",
    )
