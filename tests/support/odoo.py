"""Odoo's side of the addon open_chat, as far as its button asks for it.

odoo.py ADDONS USER GROUP PHONE MOBILE prints the address that a click leads to, or why it leads
nowhere. The address of the service is in SERVICE, the secret in PASS_SECRET.
"""

import os
import sys
import types


class Refusal(Exception):
    pass


def keep(*_names, **_options):
    """A decorator that changes nothing."""
    return lambda function: function


class Parameters:
    def sudo(self):
        return self

    def get_param(self, name):
        return os.environ[{"open_chat.url": "SERVICE", "open_chat.secret": "PASS_SECRET"}[name]]


class Environment(dict):
    def __init__(self, uid, group):
        super().__init__({"ir.config_parameter": Parameters()})
        self.uid = uid
        self.user = types.SimpleNamespace(has_group=lambda name: name == group)


class Model:
    _fields = ("phone", "mobile")

    def __iter__(self):
        return iter([self])

    def __getitem__(self, name):
        return getattr(self, name)

    def ensure_one(self):
        return self


def module(name, **names):
    made = types.ModuleType(name)
    vars(made).update(names)
    sys.modules[name] = made
    return made


fields = module("odoo.fields", Char=lambda **_options: None)
api = module("odoo.api", depends=keep)
models = module("odoo.models", Model=Model, AbstractModel=Model, TransientModel=Model)
module("odoo.exceptions", AccessError=Refusal, UserError=Refusal)
module("odoo", _=str, api=api, fields=fields, models=models)

addons, uid, group, phone, mobile = sys.argv[1:]
sys.path.insert(0, addons)
from open_chat.models.open_chat_mixin import OpenChatMixin  # noqa: E402

record = OpenChatMixin()
record.env, record.phone, record.mobile = Environment(int(uid), group), phone, mobile
record._compute_open_chat_phone()
try:
    print(record.action_open_chat()["url"])
except Refusal as refusal:
    print(refusal)
