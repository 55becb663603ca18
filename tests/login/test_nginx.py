"""nginx and oauth2-proxy in front of open-chat, by nginx.conf and oauth2-proxy.cfg."""

import unittest

from agent import Agent
from machine import Stack, clicks


class Nginx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.stack.open_chat()
        cls.stack.oauth2_proxy()
        cls.stack.nginx()

    def test_an_agent_logs_in_and_clicks(self):
        with Agent() as ann:
            ann.click_in_crm("phone=%2B380501234567")
            ann.log_in("ann@example.com")
            self.assertEqual(ann.wait_for_chat(), "phone=%2B380501234567&")
            click = clicks()[-1]
            self.assertEqual((click["caller"], click["operator"], click["client"]), ("sso:ann@example.com", 101, "192.0.2.10"))
