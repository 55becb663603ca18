"""oauth2-proxy alone before open-chat, with the very arguments of kubernetes/sidecar-values.yaml.

In the place of the Ingress controller it ends TLS itself.
"""

import unittest

import yaml
from agent import CHATS
from cases import CLICK, FORGED, PROGRAM, Logins
from machine import DOCS, TOOLS, clicks, eventually, fetch


class Sidecar(Logins, unittest.TestCase):
    values = yaml.safe_load((DOCS / "kubernetes/sidecar-values.yaml").read_text())

    @classmethod
    def behind(cls):
        config = cls.values["config"]
        # Without a secret, which open_chat.env has: nothing else reaches the port.
        cls.stack.open_chat(ACCESS="sso", SSO_HEADER=config["SSO_HEADER"], TRUSTED_PROXIES=config["TRUSTED_PROXIES"][0],
                            PUBLIC_URL=config["PUBLIC_URL"], SSO_PROXY_SECRET_FILE="")  # fmt: skip

    @classmethod
    def proxy(cls):
        (container,) = cls.values["extraContainers"]
        tls = ["--https-address=0.0.0.0:443", "--tls-cert-file=/etc/ssl/open-chat.pem", "--tls-key-file=/etc/ssl/open-chat.key"]
        cls.stack.start("oauth2-proxy", TOOLS / "oauth2-proxy", *container["args"], *tls, at=("192.0.2.10", 443))

    def test_headers_make_nobody_another(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        for forged in FORGED:
            with self.subTest(forged):
                before = len(clicks())
                answer = fetch(CHATS + CLICK, headers=[*PROGRAM, self.session(ann), *forged])
                self.assertEqual(answer.status, 302)
                eventually("the click", lambda before=before: len(clicks()) > before)
                (click,) = clicks()[before:]
                self.assertTrue(click.startswith("sso:ann@example.com 101 "), click)
                self.assertEqual(fetch(CHATS + CLICK, headers=[*PROGRAM, *forged]).status, 401)
