"""HAProxy in front of open-chat, with oauth2-proxy between them, by haproxy-oauth2-proxy.cfg."""

import unittest
import urllib.parse

from cases import CLICK, LOST, WithOpenChat, WithRecorder
from machine import Stack
from test_nginx import END_SESSION

# What the head of the file says.
BETWEEN = [('upstreams = ["static://202"]', 'upstreams = ["http://127.0.0.1:8080/"]\npass_basic_auth = false')]


class HaproxyWithOpenChat(WithOpenChat, unittest.TestCase):
    logout = "/oauth2/sign_out?rd=" + urllib.parse.quote(END_SESSION, safe="")

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.stack.open_chat(SSO_HEADER="X-Forwarded-Email")
        cls.stack.oauth2_proxy(BETWEEN)
        cls.stack.haproxy()


class HaproxyWithRecorder(WithRecorder, unittest.TestCase):
    lost = LOST
    # oauth2-proxy takes no raw one in a query that it reads itself.
    not_survived = ("a semicolon",)
    sets = (
        ("x-forwarded-email", "ann@example.com"),
        ("x-forwarded-for", "192.0.2.10, 127.0.0.1"),
        ("x-proxy-secret", "canary-proxy-secret-of-32-characters"),
    )
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
        cls.stack.oauth2_proxy(BETWEEN)
        cls.stack.haproxy()
