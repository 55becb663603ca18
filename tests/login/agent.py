"""An agent at a browser: a real Chromium."""

import itertools
import json
import urllib.parse

from machine import LOGS, PATIENCE, TOOLS, eventually
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

CHATS = "https://chats.example.com"
PANEL = "http://127.0.0.1:9000/"
NUMBER = itertools.count()


class Agent:
    """A browser without a history. As a context it ends with the block."""

    def __init__(self, third_party_cookies=False):
        options = ChromeOptions()
        for argument in ("headless", "no-sandbox", "disable-gpu", "disable-background-networking", "no-first-run",
                         "disable-component-update", "disable-sync", "disable-dev-shm-usage",
                         # The tests' own authority is none of the browser's.
                         "ignore-certificate-errors", f"user-data-dir=/tmp/agent-{next(NUMBER)}"):  # fmt: skip
            options.add_argument(f"--{argument}")
        if third_party_cookies:
            options.add_experimental_option("prefs", {"profile.cookie_controls_mode": 0})
        self.driver = Chrome(options, Service("/usr/bin/chromedriver", log_output=str(LOGS / "chromedriver.log")))
        self.crm = self.driver.current_window_handle
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    @property
    def url(self):
        return self.driver.current_url

    def text(self, css="body"):
        try:
            return self.driver.find_element(By.CSS_SELECTOR, css).text
        except (NoSuchElementException, StaleElementReferenceException):
            return ""

    def has(self, css):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, css))

    def press(self, css):
        self.driver.find_element(By.CSS_SELECTOR, css).click()

    def open(self, path):
        self.driver.get(CHATS + path)

    def click_in_crm(self, query):
        """Presses the CRM's button, which opens a tab of its own; returns the tab."""
        link = urllib.parse.quote(f"{CHATS}/open-chat?{query}", safe="")
        self.turn_to(self.crm)
        self.driver.get(f"https://crm.test/clients/0501234567?link={link}")
        before = set(self.driver.window_handles)
        self.press("#chat")
        (tab,) = eventually("a tab", lambda: set(self.driver.window_handles) - before)
        self.turn_to(tab)
        return tab

    def turn_to(self, tab):
        self.driver.switch_to.window(tab)

    def wait_for_login(self):
        eventually(
            "the login's page", lambda: self.url.startswith("https://login.example.test/interaction/") and self.has("input[name=login]")
        )

    def log_in(self, account):
        """Fills in the provider's page, and presses its button."""
        self.wait_for_login()
        self.driver.find_element(By.CSS_SELECTOR, "input[name=login]").send_keys(account)
        self.driver.find_element(By.CSS_SELECTOR, "input[name=password]").send_keys("canary-agent-password")
        self.press("button[type=submit]")

    def wait_for_chat(self):
        """Until the panel is there; returns the query of its address, less the token."""
        eventually("the chat's panel", lambda: self.url.startswith(PANEL))
        query = urllib.parse.urlsplit(self.url).query
        link, token = query.split("token=")
        assert token
        return link

    def wait_for_page(self, heading):
        eventually(f"the page {heading!r}", lambda: heading in self.text("h1"))

    def cookies(self):
        """The names and whole cookies of all sites."""
        found = self.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
        return {cookie["name"]: cookie for cookie in found}

    def cookies_of(self, site):
        return {name: cookie["value"] for name, cookie in self.cookies().items() if cookie["domain"] == site}

    def forget(self, site):
        """Deletes this site's cookies: the session there has ended."""
        for cookie in self.cookies().values():
            if cookie["domain"] == site:
                self.driver.execute_cdp_cmd("Network.deleteCookies", {"name": cookie["name"], "domain": site})

    def objections(self):
        """What axe-core objects to in this page."""
        axe = (TOOLS / "npm/node_modules/axe-core/axe.min.js").read_text()
        self.driver.execute_script(axe)
        check = "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then((found) => done(JSON.stringify(found.violations)))"
        return json.loads(self.driver.execute_async_script(check))
