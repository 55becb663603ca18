"""Agents who click without a pause, and what became of each click."""

import collections
import contextlib
import http.client
import threading
import time
import urllib.parse

PATH = "/open-chat?operator=101&phone=%2B380501234567"


class Clicks:
    """Clicks on an address until the end of the block; half of the agents keep their connection.

    A click is answered with a link that has a token, or it is lost: `lost` counts those by what
    came instead. `slowest` is in seconds.

        with Clicks("http://10.96.0.20") as clicks:
            clicks.wait_for(1000)
            …
        self.assertEqual(clicks.lost, {})
    """

    def __init__(self, url, path=PATH, headers=(), agents=6, pause=0.02):
        self.address = urllib.parse.urlsplit(url).netloc
        self.path = path
        self.headers = dict(headers)
        self.pause = pause
        self.opened = 0
        self.slowest = 0.0
        self.lost = collections.Counter()
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.agents = [threading.Thread(target=self.click, args=(number % 2 == 0,)) for number in range(agents)]

    def __enter__(self):
        for agent in self.agents:
            agent.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for agent in self.agents:
            agent.join()

    def wait_for(self, more):
        """Waits until so many more clicks have been answered, well or badly."""
        wanted = self.opened + self.lost.total() + more
        deadline = time.monotonic() + 600
        while self.opened + self.lost.total() < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.opened} opened, lost: {self.lost}")
            time.sleep(0.05)

    def click(self, keeps):
        connection = None
        while not self.ended.wait(self.pause):
            start = time.monotonic()
            reused = connection is not None
            connection, outcome = self.ask(connection)
            if outcome != "opened" and reused and connection is None:
                # The other side may end an idle connection at any time; browsers then take another.
                connection, outcome = self.ask(None)
            if connection and not keeps:
                connection.close()
                connection = None
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - start)
                if outcome == "opened":
                    self.opened += 1
                else:
                    self.lost[outcome] += 1
        if connection:
            connection.close()

    def ask(self, connection):
        """One request; the connection is None where it is no longer of use."""
        connection = connection or http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", self.path, headers=self.headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(OSError):
                connection.close()
            return None, type(error).__name__
        link = answer.headers.get("Location", "")
        if answer.will_close:
            connection.close()
            connection = None
        return connection, "opened" if answer.status == 302 and "token=ey" in link else str(answer.status)
