"""What holds behind each of the proxies.

A class of cases names its proxy by what it starts, and by the words that differ.
"""

import urllib.parse

from agent import CHATS, Agent
from machine import OPERATORS, PASS_SECRET, PHONE, Stack, clicks, eventually, fetch, logs_of_proxies, recorded, run_open_chat, write

CLICK = "/open-chat?phone=%2B380501234567"
BROWSER = ["Accept: text/html,application/xhtml+xml"]
PROGRAM = ["Accept: application/json"]

# Queries as an agent's browser is given them, and as they reach open-chat.
ODD = {
    "an encoded plus": ("phone=%2B380501234567", None),
    "a raw plus": ("phone=+380501234567", None),
    "an encoded space": ("operator=Ann%20Smith&phone=0501234567", None),
    "two parameters and an empty one": ("operator=101&phone=0501234567&from=", None),
    "Cyrillic": ("operator=Олена&phone=0501234567", "operator=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0&phone=0501234567"),
    "encoded Cyrillic": ("operator=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0&phone=0501234567", None),
    "an encoded ampersand": ("from=A%26B&phone=0501234567", None),
    "an encoded percent": ("from=A%2526B&phone=0501234567", None),
    "a semicolon": ("from=A;B&phone=0501234567", None),
    "quotes": ("from=%22A%22%27B%27&phone=0501234567", None),
    "an encoded slash": ("from=A%2F%2FB&phone=0501234567", None),
    "an encoded address": ("from=https%3A%2F%2Fexample.com&phone=0501234567", None),
    "a phone link": ("phone=tel:%2B380501234567", None),
    "a question mark": ("from=A?B&phone=0501234567", None),
    "brackets": ("from[]=A&phone=0501234567", None),
    "a parameter of the login": ("rd=https%3A%2F%2Felsewhere.test&phone=0501234567", None),
    "4,095 bytes": (f"phone=0501234567&from={'a' * 4073}", None),
    "4,095 bytes of encoded Cyrillic": (f"phone=0501234567&from={'%D0%B0' * 678}aaaaa", None),
}

# What oauth2-proxy does not lead back to: such addresses can lead elsewhere.
LOST = ("from=A//B&phone=0501234567", "from=/../B&phone=0501234567", "from=https://example.com&phone=0501234567")

END_SESSION = "https://login.example.test/session/end?client_id=open-chat&post_logout_redirect_uri=https://chats.example.com/logged-out"


class Cases:
    """A class says what stands behind the proxy (`behind`), and what it is (`proxy`)."""

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.stack.provider()
        cls.behind()
        cls.proxy()

    # Queries that do not survive the login; a proxy that loses others says so.
    lost = ()
    # Whether a client can have headers taken out by naming them in `Connection`.
    takes_connection_s_word = False
    logout = ""

    def tearDown(self):
        self.assertEqual([name for name, text in logs_of_proxies().items() if PHONE in text], [], "a phone is in a log")
        self.assertEqual([name for name, text in logs_of_proxies().items() if "canary" in text], [], "a secret is in a log")

    def session(self, agent):
        """The header by which a program has the agent's session."""
        cookies = agent.cookies_of("chats.example.com")
        return "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items())

    def assert_clicked(self, expected, before=0):
        """After so many chats one more was opened, for this agent."""
        # The log is written by a thread of its own.
        eventually("a click in the log", lambda: len(clicks()) > before)
        eventually(f"{expected} in the log", lambda: clicks()[-1] == expected)

    def logged_in(self, account="ann@example.com"):
        """A browser in which this agent is logged in, and the click is done."""
        agent = Agent()
        self.addCleanup(agent.driver.quit)
        agent.open(CLICK)
        agent.log_in(account)
        return agent


class Oauth2Proxy:
    """What holds where the login is oauth2-proxy's."""

    lost = LOST
    logout = "/oauth2/sign_out?rd=" + urllib.parse.quote(END_SESSION, safe="")
    leading_elsewhere = (
        "/oauth2/sign_in?rd={elsewhere}", "/oauth2/start?rd={elsewhere}", "/oauth2/sign_out?rd={elsewhere}",
        CLICK + "&rd={elsewhere}", "/oauth2/sign_out?rd=//elsewhere.test", "/oauth2/sign_out?rd=/\\elsewhere.test",
    )  # fmt: skip


class Logins(Cases):
    """What holds of every login, whatever stands beside open-chat."""

    def test_an_agent_logs_in_and_clicks(self):
        with Agent() as ann:
            ann.click_in_crm("phone=%2B380501234567")
            ann.log_in("ann@example.com")
            self.assertEqual(ann.wait_for_chat(), "phone=%2B380501234567&")
            self.assert_clicked("sso:ann@example.com 101 192.0.2.10")
            # From now on a click is a click.
            ann.click_in_crm("phone=%2B380671234567")
            self.assertEqual(ann.wait_for_chat(), "phone=%2B380671234567&")

    def test_hundreds_of_groups_make_no_long_cookie(self):
        agent = self.logged_in("groups@example.com")
        self.assertEqual(agent.wait_for_chat(), "phone=%2B380501234567&")
        self.assert_clicked("sso:groups@example.com 101 192.0.2.10")
        self.assertLess(len(self.session(agent)), 4000)

    def test_unverified_addresses_and_strangers_do_not_get_in(self):
        for account in "unverified@example.com", "mallory@elsewhere.test":
            with self.subTest(account):
                before = len(clicks())
                agent = self.logged_in(account)
                eventually("a refusal", lambda agent=agent: agent.url.startswith(CHATS) and agent.text("h1, .title"))
                self.assertEqual(fetch(CHATS + CLICK, headers=[*PROGRAM, self.session(agent)]).status in (401, 403), True)
                self.assertEqual(len(clicks()), before)


class WithOpenChat(Logins):
    # Settings in the place of those of open-chat.env.
    settings = ()

    @classmethod
    def behind(cls):
        cls.stack.open_chat(**dict(cls.settings))

    def test_two_tabs_log_in_at_once(self):
        with Agent() as ann:
            first = ann.click_in_crm("phone=%2B380501234567")
            ann.wait_for_login()
            second = ann.click_in_crm("phone=%2B380671234567")
            ann.wait_for_login()
            for tab, chat in (first, "phone=%2B380501234567&"), (second, "phone=%2B380671234567&"):
                ann.turn_to(tab)
                ann.log_in("ann@example.com")
                self.assertEqual(ann.wait_for_chat(), chat)

    def test_a_session_ends_in_the_middle_of_the_day(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        # Here alone: the provider still knows her, and the click goes on by itself.
        ann.forget("chats.example.com")
        ann.click_in_crm("phone=%2B380671234567")
        self.assertEqual(ann.wait_for_chat(), "phone=%2B380671234567&")
        # At the provider too: it asks.
        ann.forget("chats.example.com")
        ann.forget("login.example.test")
        ann.click_in_crm("phone=%2B380671234567")
        ann.log_in("bob@example.com")
        self.assertEqual(ann.wait_for_chat(), "phone=%2B380671234567&")
        self.assert_clicked("sso:bob@example.com 102 192.0.2.10")

    def test_an_agent_logs_out_here_and_at_the_provider(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        ann.open(self.logout)
        # The provider's own page asks whether she means it.
        eventually("the provider's page", lambda: ann.url.startswith("https://login.example.test/session/end"))
        ann.press("button[name=logout]")
        ann.wait_for_page("You are logged out")
        self.assertEqual(ann.url, f"{CHATS}/logged-out")
        self.assertEqual(ann.objections(), [])
        ann.open(CLICK)
        ann.log_in("bob@example.com")
        ann.wait_for_chat()
        self.assert_clicked("sso:bob@example.com 102 192.0.2.10")

    def test_an_agent_in_no_map_is_told_who_the_login_says_they_are(self):
        carol = self.logged_in("carol@example.com")
        eventually("open-chat's page", lambda: "carol@example.com" in carol.text())
        answer = fetch(CHATS + CLICK, headers=[*PROGRAM, self.session(carol)])
        self.assertEqual(answer.status, 403)
        self.assertIn("urn:open-chat:problem:identity-unknown", answer.body)

    def test_an_agent_who_is_dismissed_is_let_out_by_the_map(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        session = [*PROGRAM, self.session(ann)]
        self.assertEqual(fetch(CHATS + CLICK, headers=session).status, 302)
        self.addCleanup(write, "/etc/open-chat/operators.toml", OPERATORS)
        write("/etc/open-chat/operators.toml", OPERATORS.replace('"ann@example.com" = 101\n', ""))
        eventually("she is let out", lambda: fetch(CHATS + CLICK, headers=session).status == 403)

    def test_nobody_opens_another_s_chats(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        answer = fetch(f"{CHATS}{CLICK}&operator=102", headers=[*PROGRAM, self.session(ann)])
        self.assertEqual(answer.status, 403)
        self.assertIn("urn:open-chat:problem:operator-not-allowed", answer.body)

    def test_a_link_with_a_pass_needs_no_login(self):
        made = run_open_chat("pass", "mint", "--operator", "102", PASS_SECRET=PASS_SECRET).strip()
        with Agent() as bob:
            bob.open(f"{CLICK}&pass={made}")
            self.assertEqual(bob.wait_for_chat(), "phone=%2B380501234567&")
        answer = fetch(f"{CHATS}{CLICK}&pass=invented", headers=PROGRAM)
        self.assertEqual(answer.status, 401)
        self.assertIn("urn:open-chat:problem:pass-invalid", answer.body)

    def test_headers_make_nobody_another(self):
        ann = self.logged_in()
        ann.wait_for_chat()
        session = self.session(ann)
        for forged in FORGED:
            with self.subTest(forged):
                before = len(clicks())
                answer = fetch(CHATS + CLICK, headers=[*PROGRAM, session, *forged])
                if forged[0].startswith("Connection") and self.takes_connection_s_word:
                    # The proxy's own words are taken out as well, so nothing is opened.
                    self.assertEqual(answer.status, 401)
                    continue
                self.assertEqual(answer.status, 302)
                self.assert_clicked("sso:ann@example.com 101 192.0.2.10", before)
                # Without the session they open nothing.
                answer = fetch(CHATS + CLICK, headers=[*PROGRAM, *forged])
                self.assertEqual(answer.status, 401)

    def test_round_the_proxy_nobody_gets_in(self):
        for forged in FORGED:
            answer = fetch(f"http://127.0.0.1:8080{CLICK}", headers=[*PROGRAM, *forged])
            self.assertEqual(answer.status, 401, forged)

    def test_a_program_without_a_login_gets_no_page(self):
        answer = fetch(CHATS + CLICK, headers=PROGRAM)
        self.assertEqual((answer.status, answer.header("content-type").split(";")[0]), (401, "application/problem+json"))
        self.assertIn('"urn:open-chat:problem:identity-missing"', answer.body)
        self.assertEqual(answer.header("set-cookie"), "")

    def test_the_builder_is_open_to_who_is_logged_in(self):
        with Agent() as ann:
            ann.open("/builder?operator=101")
            ann.log_in("ann@example.com")
            eventually("the builder", lambda: ann.url == f"{CHATS}/builder?operator=101" and ann.has("form"))

    def test_what_is_not_for_agents_is_a_page_and_nothing_more(self):
        with Agent() as ann:
            ann.open("/")
            ann.wait_for_page("There is no chat at this address")
            self.assertEqual(ann.objections(), [])
        for path in "/", "/metrics", "/healthz", "/readyz", "/openapi.json", "/elsewhere", "//open-chat/", "/open-chat/":
            self.assertEqual(fetch(CHATS + path, headers=BROWSER).status, 404, path)


# What a client may send to be another agent, or elsewhere.
FORGED = [
    ["X-Auth-Request-Email: bob@example.com"],
    ["x-auth-request-email: bob@example.com", "X-Auth-Request-User: bob@example.com"],
    ["X_Auth_Request_Email: bob@example.com", "X-Auth_Request-Email: bob@example.com"],
    ["X-Auth-Request-Email: bob@example.com", "X-Auth-Request-Email: bob@example.com"],
    ["X-Forwarded-Email: bob@example.com", "X-Forwarded-User: bob@example.com", "X-Forwarded-Preferred-Username: bob"],
    ["X_Forwarded_Email: bob@example.com", "X-Forwarded_Email: bob@example.com"],
    ["OIDC_CLAIM_email: bob@example.com", "OIDC-CLAIM-email: bob@example.com", "Remote-User: bob@example.com"],
    ["X-Auth-Request-Email: bob@example.com", "X-Proxy-Secret: invented"],
    ["X-Forwarded-For: 203.0.113.9"],
    ["X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1"],
    ["X-Original-URL: /metrics", "X-Forwarded-Uri: /metrics", "X-Rewrite-URL: /metrics"],
    ["Connection: X-Proxy-Secret, X-Auth-Request-Email", "X-Auth-Request-Email: bob@example.com"],
    ["GAP-Auth: bob@example.com", "X-Forwarded-Host: elsewhere.test", "X-Forwarded-Proto: http"],
]


class WithRecorder(Cases):
    """With a stand-in for open-chat that shows what has reached it."""

    # Headers with an underscore that the proxy lets through.
    underscores = ()
    # Of `ODD`, the queries that do not survive the login here.
    not_survived = ()

    @classmethod
    def behind(cls):
        cls.stack.recorder()

    def test_odd_queries_survive_the_login(self):
        ann = self.logged_in()
        ann.wait_for_page("Recorded")
        for name, (query, arrives) in ODD.items():
            with self.subTest(name):
                expected = f"/open-chat?{arrives or query}"
                before = len(recorded())
                ann.open(f"/open-chat?{query}")
                self.assertEqual([click["target"] for click in recorded()[before:]], [expected])
                ann.forget("chats.example.com")
                ann.open(f"/open-chat?{query}")
                if name in self.not_survived:
                    self.assertEqual(len(recorded()), before + 1)
                    ann.open(CLICK)
                    ann.wait_for_page("Recorded")
                    continue
                eventually("the click", lambda before=before: len(recorded()) > before + 1)
                self.assertEqual([click["target"] for click in recorded()[before + 1 :]], [expected])

    def test_some_raw_queries_are_lost_at_the_login(self):
        ann = self.logged_in()
        ann.wait_for_page("Recorded")
        for query in LOST:
            with self.subTest(query):
                before = len(recorded())
                # With a session nothing is lost.
                ann.open(f"/open-chat?{query}")
                self.assertEqual([click["target"] for click in recorded()[before:]], [f"/open-chat?{query}"])
                ann.forget("chats.example.com")
                ann.open(f"/open-chat?{query}")
                if query in self.lost:
                    ann.wait_for_page("There is no chat at this address")
                    self.assertEqual(len(recorded()), before + 1)
                    # The page tells her to press the button again, which helps.
                    ann.open(f"/open-chat?{query}")
                eventually("the click", lambda before=before: len(recorded()) > before + 1)
                self.assertEqual(recorded()[-1]["target"], f"/open-chat?{query}")

    def test_open_chat_gets_the_proxy_s_word_and_nothing_of_the_client_s(self):
        ann = self.logged_in()
        ann.wait_for_page("Recorded")
        forged = [header for headers in FORGED for header in headers if not header.startswith("Connection")]
        before = len(recorded())
        answer = fetch(CHATS + CLICK, headers=[*PROGRAM, self.session(ann), *forged])
        self.assertEqual(answer.status, 200)
        (click,) = recorded()[before:]
        named = [(name, value) for name, value in click["headers"] if name in dict(self.sets)]
        self.assertEqual(sorted(named), sorted(self.sets))
        self.assertEqual([name for name, _ in click["headers"] if "_" in name], list(self.underscores))

    def test_the_login_sends_nobody_elsewhere(self):
        ann = self.logged_in()
        ann.wait_for_page("Recorded")
        elsewhere = urllib.parse.quote("https://elsewhere.test/", safe="")
        for path in self.leading_elsewhere:
            answer = fetch(CHATS + path.format(elsewhere=elsewhere), headers=[*BROWSER, self.session(ann)])
            self.assertNotIn("//elsewhere.test", answer.header("location").split("?")[0], path)
