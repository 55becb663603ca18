#!/usr/bin/env python3
"""A soak: the service for half an hour at half of what it can do, while ChatHub and Redis fail in
turn; what it holds must not grow.

python3 tools/soak.py [--minutes N] [--rate CLICKS_PER_SECOND]

It prints a line each half minute, and a Markdown table at the end: memory, descriptors, threads,
tasks and connections before, during and after. The exit code is 1 where the second half of the run
holds more than the first, where a click got no answer, or where one was refused for anything but a
fault. It needs wrk and redis-server, and the release build. The log goes to /dev/null: half an hour
of it would fill a disk.
"""

import argparse
import json
import pathlib
import signal
import statistics
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent / "bench"))
import servers
from load import many, wrk

OPERATORS = 2_000
# Each for a while, and then a while of nothing, so that what a fault has left behind shows.
FAULTS = [
    ("operator-token", {"status": 500}),
    ("operator-token", "silence"),
    ("operator-token", {"late": 1500}),
    ("operator-token", "reset"),
    ("operator-token", {"throttled": 1}),
    ("operator-token", {"body": "not JSON"}),
    ("operator-token", {"nested": 100_000}),
    ("operator-token", "endless"),
    ("company-token", {"status": 503}),
    ("operators", {"status": 500}),
    ("redis", "stopped"),
]
FAULTY, CALM, SAMPLE = 20, 10, 2
# What may come with a fault: ChatHub is away, slow, or wrong. Anything else would be this service's
# own fault.
EXPECTED = {"chathub-bad-answer", "chathub-throttled", "chathub-timeout", "chathub-unavailable", "overloaded"}

# As many clicks a second as are asked for.
PACED = """
delay = function() return {pause} end
"""


def fault(chathub, endpoint, kind):
    body = json.dumps({"endpoint": endpoint, "fault": kind, "always": True}).encode()
    request = urllib.request.Request(chathub.url + "/simulator/faults", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).close()


def scrape(server):
    """The metrics without labels, and those with, as (name, labels) → value."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def held(server):
    seen = scrape(server)
    return {
        "memory, MB": server.memory_mb(),
        "descriptors": seen["process_open_fds"],
        "threads": seen["process_threads"],
        "tasks": seen["open_chat_background_tasks"],
        "limit keys": sum(value for name, value in seen.items() if name.startswith("open_chat_rate_limit_keys{")),
        "tokens kept": seen["open_chat_token_cache_entries"],
    }


def soak(directory, options):
    store = servers.redis(directory)
    settings = {
        "REDIS_URL": f"redis://127.0.0.1:{store.port}/0",
        "TRUSTED_PROXIES": "127.0.0.1",
        # So that tokens are minted all the time, and not only at the start.
        "TOKEN_REUSE": "10s",
        "DIRECTORY_REFRESH": "10s",
    }
    with store, servers.chathub(directory, OPERATORS, "5ms") as chathub, servers.service("soak", directory, chathub.url, log="/dev/null", **settings) as server:
        server.wait_for("/readyz")
        clicks = many(20_000, OPERATORS, phones=10_000, addresses=True)
        time.sleep(3)
        before = held(server)
        rate = options.rate or capacity(server, directory, clicks) / 2
        # One connection with a pause between two clicks makes so many of them; enough connections
        # make the rate.
        pause = 20
        connections = max(1, round(rate * pause / 1000))
        seconds = options.minutes * 60
        load = wrk(server.url, directory, seconds, connections, clicks + PACED.format(pause=pause), background=True)
        samples, at = [], 0
        started = time.monotonic()
        while time.monotonic() - started < seconds - 1:
            endpoint, kind = FAULTS[at % len(FAULTS)]
            at += 1
            begin(store, chathub, endpoint, kind)
            samples += watch(server, min(FAULTY, left(started, seconds)))
            end(store, chathub, endpoint)
            samples += watch(server, min(CALM, left(started, seconds)))
            took = (time.monotonic() - started) / 60
            print(f"{took:5.1f} min: {endpoint} {kind}: {line(samples[-1])}", flush=True)
        output, _ = load.communicate()
        outcome = json.loads(output.strip().splitlines()[-1])
        time.sleep(20)
        return before, samples, held(server), outcome, scrape(server), rate


def capacity(server, directory, clicks):
    """Warm clicks a second, with everything on."""
    wrk(server.url, directory, 5, connections=64, script=clicks)
    run = wrk(server.url, directory, 5, connections=64, script=clicks)
    print(f"{run['rate']:.0f} clicks a second at most", flush=True)
    return run["rate"]


def begin(store, chathub, endpoint, kind):
    if endpoint == "redis":
        store.process.send_signal(signal.SIGSTOP)
    else:
        fault(chathub, endpoint, kind)


def end(store, chathub, endpoint):
    if endpoint == "redis":
        store.process.send_signal(signal.SIGCONT)
    else:
        fault(chathub, endpoint, None)


def left(started, seconds):
    return max(0, seconds - (time.monotonic() - started))


def watch(server, seconds):
    samples = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(SAMPLE)
        samples.append(held(server))
    return samples


def line(sample):
    return ", ".join(f"{name} {value:.0f}" for name, value in sample.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, help="clicks a second; left out, half of what is measured first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="open-chat-soak-") as directory:
        before, samples, after, outcome, seen, rate = soak(pathlib.Path(directory), options)
    # Until all faults have come once, pools, queues and tables fill up.
    half = len(samples) // 2
    first, second = samples[:half], samples[half:]
    print(f"\n{outcome['requests']:,} clicks in {options.minutes} minutes, {rate:,.0f} a second wanted; {outcome['broken']} without an answer\n")
    print("| | before | median of the first half | of the second | most | after |\n| --- | --: | --: | --: | --: | --: |")
    grown = []
    for name in before:
        medians = [statistics.median(sample[name] for sample in part) for part in (first, second)]
        most = max(sample[name] for sample in samples)
        print(f"| {name} | {before[name]:.0f} | {medians[0]:.0f} | {medians[1]:.0f} | {most:.0f} | {after[name]:.0f} |")
        if medians[1] > medians[0] * 1.05 + 2:
            grown.append(name)
    refused = {name.split('"')[1]: int(value) for name, value in seen.items() if name.startswith("open_chat_refusals_total{") and value}
    print(f"\nRefused: {refused}. In flight at the end: {seen['http_requests_in_flight']:.0f}.")
    strange = set(refused) - EXPECTED
    if grown or strange or outcome["broken"]:
        sys.exit(f"grown: {grown}; refused for no fault: {strange}; without an answer: {outcome['broken']}")


if __name__ == "__main__":
    main()
