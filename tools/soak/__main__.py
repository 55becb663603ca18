"""A soak: the service for half an hour at half of what it can do, while ChatHub and Redis fail in
turn and hostile connections try to hold it; what it keeps must not grow.

python3 tools/soak [--minutes N] [--rate CLICKS_PER_SECOND] [--report]

It prints a line after each fault, and three Markdown tables at the end: what the process holds,
what the faults did, what the hostile connections got. `--report` writes them into
docs/performance.md, where all is as documented. The exit code is 1 where any of them is not
as documented: verdict.py has the rules. It needs wrk and redis-server, and the release build. The
log goes to /dev/null: half an hour of it would fill a disk.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import socket
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "bench"))
import hostile
import page
import servers
import verdict
from faults import FAULTS, Upstreams
from load import many, wrk
from samples import held, line, scrape

# Of the load. The first one's id, by the simulator.
OPERATORS, FIRST_OPERATOR = 2_000, 101
# The most connections of the load: with the hostile ones they stay under MAX_CONNECTIONS, beyond
# which clicks wait.
LOAD_CONNECTIONS = 600
SETTINGS = {
    "TRUSTED_PROXIES": "127.0.0.1",
    "MAX_CONNECTIONS": str(2 * hostile.MAX_PER_ADDRESS),
    # So that tokens are minted all the time, and not only at the start.
    "TOKEN_REUSE": "3s",
    "DIRECTORY_REFRESH": "2s",
}
# A fault for a while, and then a while of nothing, so that what it has left behind shows: about
# half a minute together, and less in a short run.
TURN, FAULTY = 30, 2 / 3
SAMPLE = 1
# How long the process has, after the load, to let go of what it does not need any more.
PATIENCE = 120


def main():
    parser = argparse.ArgumentParser(prog="tools/soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=int, default=30, help="at least 3")
    parser.add_argument("--rate", type=float, help="clicks a second; left out, half of what is measured first")
    parser.add_argument("--report", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    if options.minutes < 3:
        parser.error("in less than 3 minutes the faults do not take their turns")
    with tempfile.TemporaryDirectory(prefix="open-chat-soak-") as directory:
        facts = soak(pathlib.Path(directory), options)
    print(f"\n{verdict.text(facts)}\n")
    failures = list(verdict.failures(facts))
    if failures:
        sys.exit("FAILED\n" + "\n".join(f"- {failure}" for failure in failures))
    print("Everything is as documented.")
    if options.report:
        page.write({"soak": f"{page.measured_at()}\n\n{verdict.text(facts)}"})


def soak(directory, options):
    store = servers.redis(directory)
    with (
        store,
        servers.chathub(directory, OPERATORS + options.minutes * 60 + 100, "5ms") as chathub,
        servers.service(
            "soak", directory, chathub.url, log="/dev/null", REDIS_URL=f"redis://127.0.0.1:{store.port}/0", **SETTINGS
        ) as server,
    ):
        server.wait_for("/readyz")
        clicks = many(20_000, OPERATORS, phones=10_000, addresses=True)
        time.sleep(3)
        before = held(server)
        # Until each operator has a token, a fault of ChatHub is one of the first clicks.
        wrk(server.url, directory, 10, connections=64, script=clicks, expect_refusals=True)
        rate = options.rate or capacity(server, directory, clicks) / 2
        seconds = options.minutes * 60
        first_in_line(store)
        with (
            ended(start_load(server, directory, seconds, rate, clicks)) as load,
            ended(hostile.start(server.port, seconds)) as strangers,
        ):
            samples, faults = take_turns(server, Upstreams(store, chathub), seconds)
            outcome = last_line(load)
            kinds = last_line(strangers)
        after = settle(server, before)
        return {
            "minutes": options.minutes, "rate": rate, "clicks": outcome, "kinds": kinds, "faults": faults,
            "before": before, "samples": samples, "after": after, "metrics": scrape(server),
        }  # fmt: skip


def capacity(server, directory, clicks):
    """Warm clicks a second, with everything on."""
    run = wrk(server.url, directory, 5, connections=64, script=clicks)
    print(f"{run['rate']:.0f} clicks a second at most", flush=True)
    return run["rate"]


def first_in_line(store):
    """Redis has 40 ms for an answer, on a core that it shares with all that makes the load here.
    Without the right to do this it is as everything else."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, store.pid, -10)


@contextlib.contextmanager
def ended(process):
    """Whatever happens meanwhile, this process does not outlive it."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def start_load(server, directory, seconds, rate, clicks):
    """So many clicks a second: each connection pauses between two of them."""
    connections = max(1, min(LOAD_CONNECTIONS, round(rate * 0.020)))
    pause = max(1, round(connections / rate * 1000))
    paced = f"\ndelay = function() return {pause} end\n"
    return wrk(server.url, directory, seconds, connections, clicks + paced, background=True)


class FirstClicks:
    """A click a second for an operator who has no token yet: it asks ChatHub at any moment, so each
    fault is met. Tokens that are there are refreshed in waves, ten seconds after a failure."""

    # So many wait for their answers at once, which is longer than CLICK_BUDGET.
    WAITING = 12

    def __init__(self, port):
        self.port = port
        self.operator = FIRST_OPERATOR + OPERATORS
        self.waiting = collections.deque()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.waiting:
            self.waiting.popleft().close()

    def make_one(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        path = f"/open-chat?operator={self.operator}&phone=%2B380501234567"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n".encode())
        self.operator += 1
        self.waiting.append(connection)
        if len(self.waiting) > self.WAITING:
            self.waiting.popleft().close()


def take_turns(server, upstreams, seconds):
    """Each fault in turn, in so many rounds: the samples of each round, and what was seen of each
    fault."""
    count = rounds(seconds)
    turn = seconds / count / len(FAULTS)
    samples, seen = [[] for _ in range(count)], dict.fromkeys((fault.name for fault in FAULTS), 0)
    started = time.monotonic()
    with FirstClicks(server.port) as clicks:
        for at in range(count * len(FAULTS)):
            fault, own = FAULTS[at % len(FAULTS)], samples[at // len(FAULTS)]
            begun = scrape(server)
            upstreams.begin(fault)
            during = watch(server, clicks, started + (at + FAULTY) * turn)
            seen[fault.name] += fault.traces(begun, scrape(server), during)
            upstreams.end(fault)
            own += during + watch(server, clicks, started + (at + 1) * turn)
            print(f"{(time.monotonic() - started) / 60:5.1f} min: {fault.name}: {line(own[-1])}", flush=True)
    return samples, seen


def rounds(seconds):
    """An odd number: in the first one pools and tables fill up, and of the others one half is
    compared with the other."""
    fitting = int(seconds / TURN / len(FAULTS))
    return max(1, fitting - (fitting + 1) % 2)


def watch(server, clicks, until):
    samples = []
    while not samples or time.monotonic() < until - SAMPLE / 2:
        clicks.make_one()
        time.sleep(SAMPLE)
        samples.append(held(server))
    return samples


def last_line(process):
    output, _ = process.communicate()
    try:
        return json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"{process.args[0]} has failed:\n{output}")


def settle(server, before):
    """What the process holds after the load, as soon as that is what it held before."""
    until = time.monotonic() + PATIENCE
    while True:
        time.sleep(SAMPLE)
        after = held(server)
        if not verdict.kept(before, after) or time.monotonic() > until:
            return after


if __name__ == "__main__":
    main()
