"""HAProxy in front of open-chat, with oauth2-proxy between them, by haproxy-oauth2-proxy.cfg."""

import unittest

from cases import Oauth2Proxy, WithOpenChat, WithRecorder

# What the head of the file says.
BETWEEN = [('upstreams = ["static://202"]', 'upstreams = ["http://127.0.0.1:8080/"]\npass_basic_auth = false')]


class Haproxy(Oauth2Proxy):
    @classmethod
    def proxy(cls):
        cls.stack.oauth2_proxy(BETWEEN)
        cls.stack.haproxy()


class HaproxyWithOpenChat(Haproxy, WithOpenChat, unittest.TestCase):
    settings = (("SSO_HEADER", "X-Forwarded-Email"),)


class HaproxyWithRecorder(Haproxy, WithRecorder, unittest.TestCase):
    # oauth2-proxy takes no raw one in a query that it reads itself.
    not_survived = ("a semicolon",)
    sets = (
        ("x-forwarded-email", "ann@example.com"),
        ("x-forwarded-for", "192.0.2.10, 127.0.0.1"),
        ("x-proxy-secret", "canary-proxy-secret-of-32-characters"),
    )
