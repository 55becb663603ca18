"""The load comparison: the service against the floor, a bare actix 302, side by side in one run.

python3 tools/bench [--rounds N] [--seconds S] [--report] [--peers] [--scale]

Each server has one core to itself and wrk the other; they are measured in turn, several rounds
long, and a ratio is that of one round's neighbours, so what slows the whole machine down slows
both. It needs wrk and redis-server, and `make bench` builds what it runs.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import page
import peers
import report
import scale
import servers
from load import many, measured, result, wrk

PHONE = "+380501234567"
CLICK = "/open-chat?operator=101&phone=%2B380501234567&source=0&from=Acme"
# Of which the table of the parts tells.
PARTED = {"floor", "warm"}
HEADERS = "".join(
    f'wrk.headers["{name}"] = "{value}"\n'
    for name, value in {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "uk,en;q=0.8",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-User": "?1",
        "Upgrade-Insecure-Requests": "1",
        "Referer": "https://crm.example/",
    }.items()
)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--report", action="store_true", help="write the table and the plot into docs/performance.md")
    parser.add_argument("--peers", action="store_true", help="what a user would write instead (benches/peers/); a report has it anyway")
    parser.add_argument("--scale", action="store_true", help="what grows with size instead: operators, clients, connections, workers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="open-chat-bench-") as name, ExitStack() as stack:
        directory = pathlib.Path(name)
        if options.scale:
            sections = scale.run(directory, options)
            print("\n\n".join(sections.values()))
            if options.report:
                page.write(sections)
            return
        if options.peers or options.report:
            # First, so that what is missing is said at once.
            beside = peers.run(directory, stack, options)
            report.show_peers(beside)
        if options.peers and not options.report:
            return
        rows, redis_cpu = warm(directory, stack, options)
        facts = {"redis_cpu": redis_cpu, **cold(directory, options), **mixed(directory, options), **allocations()}
    report.show(rows, facts)
    if options.report:
        report.write(rows, facts, beside)


def warm(directory, stack, options):
    """The floor and the service in its set-ups, in turn; and what Redis needs for a click."""
    run = stack.enter_context
    upstream = run(servers.chathub(directory, 1000)).url
    redis = run(servers.redis(directory))
    store = f"redis://127.0.0.1:{redis.port}/0"
    with_pass = {"ACCESS": "pass", "PASS_SECRET": servers.PASS_SECRET}
    signed = "/open-chat?source=0&from=Acme&pass=" + servers.signed(101, phone=PHONE)
    contenders = [
        ("floor", None, CLICK, ""),
        ("floor, browser", None, CLICK, HEADERS),
        ("warm", {}, CLICK, ""),
        ("warm, browser", {}, CLICK, HEADERS),
        ("warm, pass", with_pass, signed, ""),
        ("warm, Redis", {"REDIS_URL": store}, CLICK, ""),
        ("warm, no log", {"RUST_LOG": "off"}, CLICK, ""),
    ]
    rows, redis_cpu = [], []
    for name, settings, target, script in contenders:
        if settings is None:
            server, ready = run(servers.floor(directory)).accepts(), None
        else:
            server = run(servers.service(name, directory, upstream, **settings))
            ready = server.wait_for("/healthz")
            server.wait_for("/readyz")
        wrk(server.url + target, directory, 1, connections=1, script=script)
        rows.append({"name": name, "ready": ready, "first": server.memory_mb(), "server": server, "runs": []})
    for round_ in range(options.rounds):
        for row, (name, _, target, script) in zip(rows, contenders, strict=True):
            before = redis.cpu_seconds()
            row["runs"].append(measured(row["server"], target, directory, options.seconds, script=script))
            if "Redis" in name:
                redis_cpu.append((redis.cpu_seconds() - before) * 1e6 / row["runs"][-1]["requests"])
            print(f"round {round_ + 1}: {name}: {row['runs'][-1]['rate']:.0f}/s", file=sys.stderr)
    for row in rows:
        base = rows[1] if "browser" in row["name"] else rows[0]
        row["ratios"] = [own["rate"] / floor["rate"] for own, floor in zip(row["runs"], base["runs"], strict=True)]
        row["ratio"] = statistics.median(row["ratios"])
        row["cpu_ratio"] = statistics.median(f["cpu"] / o["cpu"] for o, f in zip(row["runs"], base["runs"], strict=True))
        row["peak"] = row.pop("server").memory_mb("VmHWM")
        for what in ("rate", "p50", "p99", "cpu"):
            row[what] = statistics.median(run[what] for run in row["runs"])
        if row["name"] in PARTED:
            row["parts"] = {part: statistics.median(run["parts"][part] for run in row["runs"]) for part in row["runs"][0]["parts"]}
    return rows, statistics.median(redis_cpu)


def cold(directory, options):
    """Every click waits for a token of its own, 20 ms away."""
    with (
        servers.chathub(directory, 1000, "20ms") as upstream,
        servers.service("cold", directory, upstream.url, TOKEN_REUSE="0") as server,
    ):
        server.wait_for("/readyz")
        # One click at a time for each operator, or they would share one mint.
        script = many(1000, 1000)
        wrk(server.url, directory, 1, connections=4, script=script)
        runs = [measured(server, "/", directory, options.seconds, connections=4, script=script) for _ in range(3)]
        # A wrong login takes ChatHub as long as anything, and asks nothing of it.
        login = 'wrk.method = "POST"\nwrk.body = "{}"\nwrk.headers["Content-Type"] = "application/json"\n'
        path = "/api/company/get-token"
        own = wrk(upstream.url + path, directory, options.seconds, connections=4, script=login, expect_refusals=True)
        return {
            "chathub_p50": own["p50"] / 1000,
            "cold_p50": statistics.median(run["p50"] for run in runs) / 1000,
            "cold_p99": statistics.median(run["p99"] for run in runs) / 1000,
            "cold_cpu": statistics.median(run["cpu"] for run in runs),
        }


def mixed(directory, options):
    """Warm clicks alone; while five in a hundred clicks are cold and ChatHub takes half a second
    for each; and, to tell waiting from work, while as many cold clicks go to another process on the
    same core. They come at a pace, so that five in a hundred stays a number of mints that a ChatHub
    can be asked for."""
    paced = "delay = function() return 1 end"
    p99 = {"alone": [], "among": [], "beside": []}
    share = []
    with (
        servers.chathub(directory, 120_000, "500ms") as upstream,
        servers.service("mixed", directory, upstream.url) as server,
        servers.service("beside", directory, upstream.url) as neighbour,
    ):
        for one in (server, neighbour):
            one.wait_for("/readyz")
            wrk(one.url + CLICK, directory, 2, connections=4)
        first = 200
        for _ in range(options.rounds):
            quiet = measured(server, CLICK, directory, options.seconds, connections=8, script=paced)
            p99["alone"].append(quiet["p99"])
            # Each connection makes two cold clicks a second.
            connections = max(1, round(quiet["rate"] * 0.05 / 0.95 / 2))
            for where, one in (("among", server), ("beside", neighbour)):
                cold = wrk(one.url, directory, options.seconds + 2, connections, many(10_000, 10_000, first=first), background=True)
                first += 10_000
                wrk(server.url + CLICK, directory, 1, connections=1)
                busy = measured(server, CLICK, directory, options.seconds, connections=8, script=paced)
                p99[where].append(busy["p99"])
                minted = result(cold)["rate"]
                share.append(minted / (busy["rate"] + minted))
    return {"p99": p99, "cold_share": statistics.median(share)}


def allocations():
    """What the bench of that name has counted."""
    command = ["cargo", "bench", "--quiet", "--locked", "--bench", "allocations"]
    output = subprocess.run(command, cwd=servers.ROOT, check=True, capture_output=True, text=True).stdout
    pairs = (line.rsplit(":", 1) for line in output.splitlines() if ":" in line)
    return {"allocations": {name.strip(): value.strip() for name, value in pairs}}


if __name__ == "__main__":
    main()
