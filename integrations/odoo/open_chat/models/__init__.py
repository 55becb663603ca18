from . import open_chat_mixin
from . import res_config_settings
from . import res_partner
