"""Apache with mod_auth_openidc in front of open-chat, by apache.conf."""

import unittest

from cases import WithOpenChat, WithRecorder


class Apache:
    @classmethod
    def proxy(cls):
        cls.stack.apache()


class ApacheWithOpenChat(Apache, WithOpenChat, unittest.TestCase):
    takes_connection_s_word = True
    logout = "/oauth2/callback?logout=https%3A%2F%2Fchats.example.com%2Flogged-out"


class ApacheWithRecorder(Apache, WithRecorder, unittest.TestCase):
    not_survived = ("4,095 bytes", "4,095 bytes of encoded Cyrillic")
    underscores = ("x_auth_request_email", "x-auth_request-email", "x_forwarded_email", "x-forwarded_email")
    sets = (
        ("x-auth-request-email", "ann@example.com"),
        ("x-forwarded-for", "192.0.2.10"),
        ("x-proxy-secret", "canary-proxy-secret-of-32-characters"),
    )
    leading_elsewhere = (
        "/oauth2/callback?logout={elsewhere}",
        "/oauth2/callback?target_link_uri={elsewhere}&iss=https://login.example.test",
    )
