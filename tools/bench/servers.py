"""The servers that a measurement runs: each on one core, with what it costs read from /proc."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target" / "release"
OPEN_CHAT = str(RELEASE / "open-chat")
FLOOR = str(RELEASE / "examples" / "floor")
TICK = os.sysconf("SC_CLK_TCK")
PASSWORD = "bench-password"
PASS_SECRET = "bench-secret-of-at-least-32-bytes!!"

# One core for what is measured, the last one for all that measures it.
CORES = sorted(os.sched_getaffinity(0))
MEASURED, MEASURING = CORES[0], CORES[-1]

# On, as everywhere, and out of the way.
SERVICE = {
    "ACCESS": "open",
    "CHATHUB_LOGIN": "bench",
    "CHATHUB_PASSWORD": PASSWORD,
    "CHATHUB_MAX_RATE": "10000",
    "LOG_FORMAT": "json",
    "RATE_LIMIT_OPERATOR": "1000000/s",
    "RATE_LIMIT_CLIENT": "1000000/s",
    "RATE_LIMIT_REFUSED": "1000000/s",
    "TOKEN_REUSE": "50m",
    "TOKEN_CACHE_SIZE": "200000",
    # A reading of a large directory is work, and comes once a minute; what is measured here is
    # clicks.
    "DIRECTORY_REFRESH": "1h",
    "DRAIN_DELAY": "0s",
    "SENDERS": "viber=Acme",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A process behind a port, from `with` to the end of it."""

    def __init__(self, name, command, environment, port, output, cores=None):
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.output = output
        self.cores = {MEASURED} if cores is None else cores
        clean = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        self.started = time.monotonic()
        with pathlib.Path(output).open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env={**clean, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                # Safe here: there are no threads.
                preexec_fn=lambda: os.sched_setaffinity(0, self.cores),  # noqa: PLW1509
            )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_for(self, path, patience=30):
        """Milliseconds from the process' start until `path` answers 200."""
        while time.monotonic() - self.started < patience:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + path, timeout=patience) as answer:
                    if answer.status == 200:
                        return (time.monotonic() - self.started) * 1000
            except OSError:
                time.sleep(0.001)
        sys.exit(f"{self.name} does not answer; see {self.output}")

    def accepts(self, patience=10):
        while time.monotonic() - self.started < patience:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.001)
        sys.exit(f"{self.name} does not listen; see {self.output}")

    def cpu_parts(self):
        """Seconds of processor time: in the kernel, of the thread that writes the log, and the
        rest. A thread that has ended is not in it: those of servers stay."""
        parts = {"the kernel: receive, send, wait": 0.0, "the thread that writes the log": 0.0, "everything else": 0.0}
        kernel, log, rest = parts
        for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            name, _, fields = (thread / "stat").read_text().partition("(")[2].rpartition(")")
            user, system = (int(field) / TICK for field in fields.split()[11:13])
            if name == "log":
                parts[log] += user + system
            else:
                parts[kernel] += system
                parts[rest] += user
        return parts

    def cpu_seconds(self):
        return sum(self.cpu_parts().values())

    def memory_mb(self, what="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
        return 0.0


def floor(directory):
    port = free_port()
    return Server("floor", [FLOOR], {"PORT": str(port)}, port, directory / "floor.log")


def chathub(directory, operators, latency="0ms", organizations=0, operators_each=10):
    port = free_port()
    command = [OPEN_CHAT, "simulate", "--port", str(port), "--operators", str(operators)]
    command += ["--organizations", str(organizations), "--operators-each", str(operators_each)]
    command += ["--latency", latency, "--login", "bench", "--password", PASSWORD]
    output = directory / f"chathub-{port}.log"
    return Server("ChatHub", command, {}, port, output, {MEASURING}).accepts()


def redis(directory):
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    return Server("Redis", command, {}, port, directory / "redis.log", {MEASURING}).accepts()


def service(name, directory, chathub_url, cores=None, log=None, **settings):
    port = free_port()
    environment = {**SERVICE, "LISTEN": f"127.0.0.1:{port}", "CHATHUB_URL": chathub_url, **settings}
    # The log is on: one JSON line for each click, to a file.
    return Server(name, [OPEN_CHAT, "serve"], environment, port, log or directory / f"{name}.log", cores)


def signed(operator, **bound):
    command = [OPEN_CHAT, "pass", "mint", "--operator", str(operator), "--ttl", "8h"]
    command += [part for name, value in bound.items() for part in (f"--{name}", value)]
    clean = {"PATH": os.environ["PATH"], "PASS_SECRET": PASS_SECRET, "ACCESS": "pass"}
    return subprocess.run(command, env=clean, check=True, capture_output=True, text=True).stdout.strip()
