"""JSON Web Tokens, as CRMs sign them."""

import base64
import hashlib
import hmac
import json


def signed(secret, claims, **head):
    """A token of these claims, HS256."""

    def part(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=")

    text = part({"alg": "HS256", **head}) + b"." + part(claims)
    key = secret if isinstance(secret, bytes) else secret.encode()
    return (text + b"." + base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).rstrip(b"=")).decode()
