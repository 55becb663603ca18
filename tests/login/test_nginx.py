"""nginx and oauth2-proxy in front of open-chat, by nginx.conf and oauth2-proxy.cfg."""

import unittest
import urllib.parse

from cases import CLICK, WithOpenChat, WithRecorder
from machine import Stack

END_SESSION = "https://login.example.test/session/end?client_id=open-chat&post_logout_redirect_uri=https://chats.example.com/logged-out"


class NginxWithOpenChat(WithOpenChat, unittest.TestCase):
    logout = "/oauth2/sign_out?rd=" + urllib.parse.quote(END_SESSION, safe="")

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.stack.open_chat()
        cls.stack.oauth2_proxy()
        cls.stack.nginx()


class NginxWithRecorder(WithRecorder, unittest.TestCase):
    lost = ("from=A//B&phone=0501234567", "from=/../B&phone=0501234567", "from=https://example.com&phone=0501234567")
    sets = {"x-auth-request-email": "ann@example.com", "x-forwarded-for": "192.0.2.10", "x-proxy-secret": "canary-proxy-secret-of-32-characters"}
    leading_elsewhere = (
        "/oauth2/sign_in?rd={elsewhere}", "/oauth2/start?rd={elsewhere}", "/oauth2/sign_out?rd={elsewhere}",
        CLICK + "&rd={elsewhere}", "/oauth2/sign_out?rd=//elsewhere.test", "/oauth2/sign_out?rd=/\\elsewhere.test",
    )  # fmt: skip

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.stack.recorder()
        cls.stack.oauth2_proxy()
        cls.stack.nginx()
