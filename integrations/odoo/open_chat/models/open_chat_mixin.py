from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..chat_url import chat_url

# Fields that hold a phone, the best first. Which of them a model has differs by Odoo's version.
PHONES = ("mobile", "phone")


class OpenChatMixin(models.AbstractModel):
    _name = "open.chat.mixin"
    _description = "A record whose client can be chatted with"

    open_chat_phone = fields.Char(compute="_compute_open_chat_phone", string="Phone of the chat")

    @api.depends(lambda self: [name for name in PHONES if name in self._fields])
    def _compute_open_chat_phone(self):
        names = [name for name in PHONES if name in self._fields]
        for record in self:
            phones = (record[name] for name in names)
            record.open_chat_phone = next((phone for phone in phones if phone), False)

    def action_open_chat(self):
        """What the button does. Odoo checks that the user may read this record."""
        self.ensure_one()
        # Users of the portal can call methods too, and are no agents.
        if not self.env.user.has_group("base.group_user"):
            raise AccessError(_("Only internal users can open chats."))
        if not self.open_chat_phone:
            raise UserError(_("There is no phone here to open a chat with."))
        # The secret is for administrators to read, and for this line.
        settings = self.env["ir.config_parameter"].sudo()
        service = settings.get_param("open_chat.url")
        secret = settings.get_param("open_chat.secret")
        if not service or not secret:
            raise UserError(
                _("Open chat is not set up yet: an administrator sets its address and secret.")
            )
        return {
            "type": "ir.actions.act_url",
            "target": "new",
            "url": chat_url(service, secret, self.env.uid, self.open_chat_phone),
        }
