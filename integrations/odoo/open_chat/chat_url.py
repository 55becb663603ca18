"""The address of a chat, with a pass of the agent's in it. Standard library alone: the tests of
open-chat run this file under plain Python against the service."""

import base64
import hashlib
import hmac
import json
import time
import uuid

# The time between the click and the chat, in seconds.
LIFETIME = 60


def chat_url(service, secret, user_id, phone):
    """The address behind one click, good once: for this user of Odoo and this phone alone."""
    now = int(time.time())
    claims = {
        # The service puts "odoo-" before it: operator_prefix in PASS_KEYS_FILE.
        "sub": str(user_id),
        "phone": phone,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    return f"{service.rstrip('/')}/open-chat?pass={sign(secret, claims)}"


def sign(secret, claims):
    """A JWT, HS256."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = b".".join(base64url(json.dumps(part).encode()) for part in parts)
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return b".".join((signed, base64url(signature))).decode()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
