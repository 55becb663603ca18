"""What grows with size, and what must not: operators, clients, connections, workers.

python3 tools/bench --scale [--report]
"""

import resource
import statistics
import sys
import time
import urllib.request

import page
import servers
from load import many, measured, wrk

OPERATORS = (10, 100, 1_000, 10_000, 100_000)
# Of which one company may have many.
ORGANIZATIONS, OPERATORS_EACH = 1_000, 1_000
CONNECTIONS = (100, 1_000, 10_000)
CLICK = "/open-chat?operator=101&phone=%2B380501234567&source=0&from=Acme"


def run(directory, options):
    """The tables, by the name of their place in docs/performance.md."""
    head = ["operators with a warm token", "CPU a click", "of ten operators'", "resident", "of it new", "bytes each"]
    rest = [clients(directory, options), *connections(directory, options), *workers(directory, options)]
    return {
        "operators": f"{page.measured_at()}\n\n{page.table(head, operators(directory, options))}",
        "sizes": page.table(["", "CPU a click", "requests/s", "p50 ms", "p99 ms", "more memory"], rest),
        "directory": page.table(["`CHATHUB_MAX_RATE`", "first reading", "a refresh", "resident", "bytes each", "peak"], readings(directory)),
    }


def operators(directory, options):
    """The same clicks on a service that is warm for 10 to 100,000 operators. Each has its own
    token, so the caches of the processor have their part in it. The load is the same script
    throughout: as many different requests as there are operators, but at least 1,000."""
    with servers.chathub(directory, OPERATORS[-1]) as upstream:
        running = []
        for count in OPERATORS:
            server = servers.service(f"operators-{count}", directory, upstream.url, RUST_LOG="off")
            server.wait_for("/readyz")
            before = server.memory_mb()
            script = many(max(count, 1000), count)
            warm(server, directory, script, count)
            running.append((count, server, script, server.memory_mb() - before, []))
        for _ in range(options.rounds):
            for _, server, script, _, runs in running:
                runs.append(measured(server, "/", directory, options.seconds, script=script))
        base, rows = running[0][4], []
        for count, server, _, memory, runs in running:
            cpu = statistics.median(run["cpu"] for run in runs)
            ratio = statistics.median(run["cpu"] / first["cpu"] for run, first in zip(runs, base, strict=True))
            # With few operators it is all noise.
            each = f"{memory * 1024 * 1024 / count:,.0f}" if count >= 10_000 else ""
            rows.append([f"{count:,}", f"{cpu:.1f} \u00b5s", f"{ratio:.2f}", f"{server.memory_mb():.0f} MB", f"{memory:.0f} MB", each])
            server.__exit__()
        return rows


def warm(server, directory, script, count):
    """Until each operator has a token: the script goes through all of them in turn, and a mint is a
    click that waits."""
    series = "open_chat_token_cache_entries "
    for _ in range(200):
        wrk(server.url, directory, 2, connections=32, script=script)
        text = metrics(server)
        if int(next(line for line in text if line.startswith(series)).split()[1]) >= count:
            return
    sys.exit(f"not all of {count} operators could be made warm")


def metrics(server):
    with urllib.request.urlopen(server.url + "/metrics") as answer:
        return answer.read().decode().splitlines()


def clients(directory, options):
    """A million clients, each with a phone and an address of its own, on one warm operator."""
    proxies = {"TRUSTED_PROXIES": "127.0.0.1"}
    count = 1_000_000
    with (
        servers.chathub(directory, 1000) as upstream,
        servers.service("clients", directory, upstream.url, RUST_LOG="off", **proxies) as server,
    ):
        server.wait_for("/readyz")
        few = many(1000, 10, phones=1000, addresses=True)
        all_ = many(count, 10, phones=count, addresses=True)
        wrk(server.url, directory, 2, script=few)
        before = server.memory_mb()
        pairs = [
            (
                measured(server, "/", directory, options.seconds, script=few)["cpu"],
                measured(server, "/", directory, max(options.seconds, 8), script=all_)["cpu"],
            )
            for _ in range(options.rounds)
        ]
        ratio = statistics.median(many_ / few_ for few_, many_ in pairs)
        more = server.memory_mb("VmHWM") - before
        return [f"{count:,} clients, each with an address and a phone of its own", f"{ratio:.2f} of 1,000 clients'", "", "", "", f"{more:.0f} MB"]


def connections(directory, options):
    """Ten thousand connections that all click."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 30_000), hard))
    settings = {"MAX_CONNECTIONS": "20000", "RUST_LOG": "off"}
    with (
        servers.chathub(directory, 1000) as upstream,
        servers.service("connections", directory, upstream.url, **settings) as server,
    ):
        server.wait_for("/readyz")
        wrk(server.url + CLICK, directory, 1, connections=1)
        before = server.memory_mb()
        rows = []
        for count in CONNECTIONS:
            run = measured(server, CLICK, directory, options.seconds * 2, connections=count)
            memory = server.memory_mb() - before
            rows.append([f"{count:,} connections that all click", *costs(run), f"{memory:.0f} MB"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return rows


def costs(run):
    return [f"{run['cpu']:.1f} \u00b5s", f"{run['rate']:,.0f}", f"{run['p50'] / 1000:.1f}", f"{run['p99'] / 1000:.1f}"]


def workers(directory, options):
    """One worker for each core that the process may use. With few cores wrk takes its part of one,
    so it is CPU time that tells."""
    rows = []
    with servers.chathub(directory, 1000) as upstream:
        for count in range(1, len(servers.CORES) + 1):
            cores = set(servers.CORES[:count])
            with servers.service(f"workers-{count}", directory, upstream.url, cores, RUST_LOG="off") as server:
                server.wait_for("/readyz")
                wrk(server.url + CLICK, directory, 1)
                runs = [measured(server, CLICK, directory, options.seconds) for _ in range(options.rounds)]
                typical = {what: statistics.median(run[what] for run in runs) for what in ("cpu", "rate", "p50", "p99")}
                rows.append([f"{count} of {len(servers.CORES)} cores, a worker each, the load in between", *costs(typical), ""])
    return rows


def readings(directory):
    """A very large company's operators, read at the default rate and as fast as ChatHub answers."""
    count = ORGANIZATIONS * OPERATORS_EACH
    with servers.chathub(directory, 1, organizations=ORGANIZATIONS, operators_each=OPERATORS_EACH) as upstream:
        rows = []
        for rate in ("40", "10000"):
            settings = {"CHATHUB_MAX_RATE": rate, "DIRECTORY_REFRESH": "1s", "RUST_LOG": "off"}
            with servers.service(f"directory-{rate}", directory, upstream.url, **settings) as server:
                server.wait_for("/healthz")
                before = server.memory_mb()
                first = read_at(server, None)
                kept = server.memory_mb()
                # The next one begins a second later.
                again = read_at(server, first) - first - 1
                each = (kept - before) * 1024 * 1024 / count
                peak = server.memory_mb("VmHWM")
                rows.append([rate, f"{first:.1f} s", f"{again:.1f} s", f"{kept:.0f} MB", f"{each:,.0f}", f"{peak:.0f} MB"])
    return rows


def read_at(server, last, patience=900):
    """When the directory was read as a whole the next time, in seconds from the process' start.
    Before the first reading its age counts from the start of the service's work."""
    last = last or time.monotonic() - server.started - directory_age(server)
    while time.monotonic() - server.started < patience:
        at = time.monotonic() - server.started - directory_age(server)
        if at > last + 0.5:
            return at
        time.sleep(0.1)
    sys.exit(f"{server.name} has not read the directory in {patience} s; see {server.output}")


def directory_age(server):
    series = "chathub_directory_age_seconds "
    return float(next(line for line in metrics(server) if line.startswith(series)).split()[1])
