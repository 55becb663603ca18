"""Load by wrk, which allocates nothing on its way and keeps up with any server on one core."""

import json
import os
import subprocess
import sys

from servers import MEASURING

# wrk calls `done` once, after the last answer. Latencies are in microseconds.
DONE = """
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "micros": %d, "p50": %f, "p99": %f, "max": %f, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""

# All in turn, and no two neighbours together: a prime is coprime to every number of clicks that is
# measured.
STEP = 7919

# Each request is made beforehand, so that making them costs nothing while it is measured.
MANY = """
local made, at = {{}}, 0
init = function()
  local addresses = {addresses}
  for n = 0, {count} - 1 do
    local phone = "%2B38050" .. string.format("%07d", n % {phones})
    local headers = nil
    if addresses then
      headers = {{["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)}}
    end
    made[n] = wrk.format("GET", "/open-chat?operator=" .. ({first} + n % {operators}) .. "&phone=" .. phone .. "&source=0", headers)
  end
end
request = function()
  at = (at + {step}) % {count}
  return made[at]
end
"""


def many(count, operators, first=101, phones=1, addresses=False):
    """So many different clicks: as a script for wrk."""
    return MANY.format(
        count=count, operators=operators, first=first, phones=phones, step=STEP, addresses=str(addresses).lower()
    )


def wrk(url, directory, seconds, connections=64, script="", expect_refusals=False, background=False):
    """Runs wrk against `url`, and says what it has measured. A refused click would measure
    something else, so it ends everything."""
    path = directory / f"load-{abs(hash((url, script)))}.lua"
    path.write_text(script + DONE)
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", "10s", "--script", str(path), url]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Safe here: there are no threads.
        preexec_fn=lambda: os.sched_setaffinity(0, {MEASURING}),  # noqa: PLW1509
    )
    return process if background else result(process, expect_refusals)


def result(process, expect_refusals=False):
    output, _ = process.communicate()
    try:
        measured = json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"wrk has failed:\n{output}")
    if (measured["refused"] and not expect_refusals) or measured["broken"]:
        sys.exit(f"{measured['refused']} clicks were refused and {measured['broken']} broke; this measures nothing")
    if not measured["requests"]:
        sys.exit("not one click was answered in time; this measures nothing")
    measured["rate"] = measured["requests"] / (measured["micros"] / 1e6)
    return measured


def measured(server, target, directory, seconds, **options):
    """One run against one server, with the CPU time that it took there for each request."""
    before = server.cpu_parts()
    run = wrk(server.url + target, directory, seconds, **options)
    after = server.cpu_parts()
    run["parts"] = {name: (after[name] - before[name]) * 1e6 / run["requests"] for name in after}
    run["cpu"] = sum(run["parts"].values())
    return run
