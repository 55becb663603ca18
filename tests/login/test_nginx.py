"""nginx and oauth2-proxy in front of open-chat, by nginx.conf and oauth2-proxy.cfg."""

import time
import unittest
import urllib.parse

from agent import CHATS, Agent
from cases import BROWSER, CLICK, PROGRAM, Oauth2Proxy, WithOpenChat, WithRecorder
from machine import LOGS, PHONE, Stack, eventually, fetch


class Nginx(Oauth2Proxy):
    @classmethod
    def proxy(cls):
        cls.stack.oauth2_proxy()
        cls.stack.nginx()


class NginxWithOpenChat(Nginx, WithOpenChat, unittest.TestCase):
    def test_logging_out_by_the_bare_address_does_not_go_round(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        answer = fetch(f"{CHATS}/oauth2/sign_out", headers=[*BROWSER, self.session(ann)])
        self.assertEqual((answer.status, answer.header("location")), (302, "/"))
        self.assertIn("__Host-open-chat-login=;", answer.header("set-cookie"))


class NginxWithRecorder(Nginx, WithRecorder, unittest.TestCase):
    sets = (
        ("x-auth-request-email", "ann@example.com"),
        ("x-forwarded-for", "192.0.2.10"),
        ("x-proxy-secret", "canary-proxy-secret-of-32-characters"),
    )


class NginxPages(unittest.TestCase):
    """What nginx says where the others do not answer, and what a login leaves behind."""

    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def trouble(self, status):
        with Agent() as ann:
            ann.open(CLICK)
            ann.wait_for_page("The chat cannot be opened now")
            self.assertEqual(ann.objections(), [])
        self.assertEqual(fetch(CHATS + CLICK, headers=BROWSER).status, status)
        answer = fetch(CHATS + CLICK, headers=PROGRAM)
        self.assertEqual((answer.status, answer.header("content-type")), (status, "application/problem+json"))

    def test_oauth2_proxy_does_not_answer(self):
        self.stack.nginx()
        self.trouble(500)

    def test_open_chat_does_not_answer(self):
        self.stack.provider()
        self.stack.oauth2_proxy()
        self.stack.nginx()
        with Agent() as ann:
            ann.open(CLICK)
            ann.log_in("ann@example.com")
            ann.wait_for_page("The chat cannot be opened now")

    def test_the_cookie_is_short_and_ends_with_the_day(self):
        self.stack.provider()
        self.stack.recorder()
        self.stack.oauth2_proxy()
        self.stack.nginx()
        with Agent() as ann:
            ann.open(CLICK)
            ann.log_in("ann@example.com")
            ann.wait_for_page("Recorded")
            cookie = ann.cookies()["__Host-open-chat-login"]
            self.assertEqual((cookie["secure"], cookie["httpOnly"], cookie["sameSite"]), (True, True, "Lax"))
            self.assertLessEqual(cookie["expires"] - time.time(), 10 * 3600)
            # The provider sees the click: the page says so.
            self.assertIn(PHONE, (LOGS / "provider.log").read_text())

    def test_another_port(self):
        here = "https://chats.example.com:8443"
        self.stack.provider()
        self.stack.recorder()
        self.stack.oauth2_proxy([(f'"{CHATS}/oauth2/callback"', f'"{here}/oauth2/callback"')])
        self.stack.nginx([("listen 443 ", "listen 8443 ")], port=8443)
        with Agent() as ann:
            ann.driver.get(here + CLICK)
            ann.log_in("ann@example.com")
            ann.wait_for_page("Recorded")
            self.assertEqual(ann.url, here + CLICK)


class NginxWidget(unittest.TestCase):
    """The panel in a CRM's frame, by nginx-widget.conf."""

    FRAME = "https://crm.test/frame?link=" + urllib.parse.quote(f"{CHATS}/widget", safe="")

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.stack.open_chat(WIDGET_FRAME_ANCESTORS="https://crm.test")
        # As the head of nginx-widget.conf says.
        cls.stack.oauth2_proxy([('cookie_samesite = "lax"', 'cookie_samesite = "none"')])
        cls.stack.nginx([("# include /etc/nginx/nginx-widget.conf;", "include /etc/nginx/nginx-widget.conf;")])

    def log_in_from_the_frame(self, ann):
        ann.driver.get(self.FRAME)
        ann.driver.switch_to.frame(0)
        ann.wait_for_page("Log in first")
        self.assertEqual(ann.objections(), [])
        before = set(ann.driver.window_handles)
        ann.press("a")
        (tab,) = eventually("a tab", lambda: set(ann.driver.window_handles) - before)
        ann.turn_to(tab)
        ann.log_in("ann@example.com")
        ann.wait_for_page("You are logged in")
        self.assertEqual(ann.objections(), [])
        ann.turn_to(ann.crm)
        ann.driver.get(self.FRAME)
        ann.driver.switch_to.frame(0)

    def test_the_login_opens_a_tab_and_then_the_frame_has_the_panel(self):
        with Agent(third_party_cookies=True) as ann:
            self.log_in_from_the_frame(ann)
            eventually("the panel's page", lambda: ann.has("script[token], [data-token], script[src*=widget]"))
            status = ann.driver.execute_async_script(
                "const done = arguments[0]; fetch('widget/token').then((answer) => done(answer.status))"
            )
            self.assertEqual(status, 200)

    def test_a_browser_that_blocks_third_party_cookies_shows_the_link_for_ever(self):
        with Agent() as ann:
            self.log_in_from_the_frame(ann)
            ann.wait_for_page("Log in first")
