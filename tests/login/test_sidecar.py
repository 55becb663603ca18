"""oauth2-proxy alone before open-chat, with the very arguments of kubernetes/sidecar-values.yaml.

In the place of the Ingress controller it ends TLS itself.
"""

import unittest

import yaml
from agent import CHATS, Agent
from cases import CLICK, FORGED, PROGRAM, Cases
from machine import DOCS, TOOLS, Stack, clicks, eventually, fetch


class Sidecar(Cases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        values = yaml.safe_load((DOCS / "kubernetes/sidecar-values.yaml").read_text())
        (container,) = values["extraContainers"]
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        config = values["config"]
        # Without a secret, which open_chat.env has: nothing else reaches the port.
        cls.stack.open_chat(ACCESS="sso", SSO_HEADER=config["SSO_HEADER"], TRUSTED_PROXIES=config["TRUSTED_PROXIES"][0],
                            PUBLIC_URL=config["PUBLIC_URL"], SSO_PROXY_SECRET_FILE="")  # fmt: skip
        tls = ["--https-address=0.0.0.0:443", "--tls-cert-file=/etc/ssl/open-chat.pem", "--tls-key-file=/etc/ssl/open-chat.key"]
        cls.stack.start("oauth2-proxy", TOOLS / "oauth2-proxy", *container["args"], *tls, at=("192.0.2.10", 443))

    def test_an_agent_logs_in_and_clicks(self):
        with Agent() as ann:
            ann.click_in_crm("phone=%2B380501234567")
            ann.log_in("ann@example.com")
            self.assertEqual(ann.wait_for_chat(), "phone=%2B380501234567&")
            self.assert_clicked("sso:ann@example.com 101 192.0.2.10")

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

    def test_hundreds_of_groups_make_no_long_cookie(self):
        agent = self.logged_in("groups@example.com")
        agent.wait_for_chat()
        self.assertLess(len(self.session(agent)), 4000)

    def test_unverified_addresses_and_strangers_do_not_get_in(self):
        for account in "unverified@example.com", "mallory@elsewhere.test":
            with self.subTest(account):
                before = len(clicks())
                agent = self.logged_in(account)
                eventually("a refusal", lambda agent=agent: agent.url.startswith(CHATS) and agent.text("h1, .title"))
                self.assertEqual(len(clicks()), before)
