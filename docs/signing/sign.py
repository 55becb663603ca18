"""A pass for open-chat: python3 sign.py OPERATOR [PHONE] prints one. Needs nothing but Python 3,
and PASS_SECRET in the environment."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time


def open_chat_pass(secret, operator, phone=None, seconds=600):
    claims = {"sub": operator, "exp": int(time.time()) + seconds}
    if phone and phone.strip():
        claims["phone"] = phone
    signed = b".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return b".".join((signed, base64url(signature))).decode()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


if __name__ == "__main__":
    print(open_chat_pass(os.environ["PASS_SECRET"], *sys.argv[1:3]))
