"""A machine as docs/proxies/ describes it.

Every file of that folder stands where it says that it stands, with the names, ports, accounts and
programs that it speaks of. `run.sh` has made the namespaces, so nothing of it reaches the real
machine, and all of it is gone at the end.
"""

import atexit
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
TOOLS = ROOT / "target/login"
DOCS = ROOT / "docs/proxies"
LOGS = pathlib.Path("/var/log")
RECORDED = pathlib.Path("/tmp/recorded.jsonl")

# Everything comes within this time, or is broken: no test fails because the machine is busy.
PATIENCE = int(os.environ.get("PATIENCE", "600"))

# Who is at which address. The proxies ask open-chat from 127.0.0.1, so that whose address
# counts can be told apart.
HOSTS = {
    "chats.example.com": "192.0.2.10",
    "login.example.test": "192.0.2.20",
    "crm.test": "192.0.2.30",
    "sibling.example.com": "192.0.2.30",
}
CLIENT_SECRET = "canary-client-secret"
PROXY_SECRET = "canary-proxy-secret-of-32-characters"
PASS_SECRET = "canary-pass-secret-of-more-than-32-bytes"
OPERATORS = '"ann@example.com" = 101\n"bob@example.com" = 102\n"groups@example.com" = 101\n'

# What starts a program elsewhere, see `world`.
WORLD = ["nsenter"]

# The phone of all clicks, as it must not stand in any log: the last digits of each spelling.
PHONE = "501234567"


def run(*command, **options):
    return subprocess.run(command, text=True, check=True, capture_output=True, **options).stdout


def eventually(what, has_come):
    """Waits until something has come about, and returns it."""
    end = time.monotonic() + PATIENCE
    while True:
        if come := has_come():
            return come
        if time.monotonic() > end:
            raise AssertionError(f"{what}: it never came")
        time.sleep(0.05)


def write(path, text, mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@functools.cache
def prepare():
    """Makes the machine, once: folders, names, certificates, secrets."""
    if os.getpid() != 1:
        raise SystemExit("These tests change the machine that they run on: start them by tests/login/run.sh")
    atexit.register(keep_logs)
    overlay("/etc")
    for folder in ("/run", "/var/log", "/tmp", "/var/lib/haproxy", "/var/cache/apache2"):
        pathlib.Path(folder).mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    pathlib.Path("/tmp").chmod(0o1777)
    for folder in ("/run/lock", "/var/log/nginx", "/var/log/apache2"):
        pathlib.Path(folder).mkdir()
    world()
    names = "".join(f"{address} {name}\n" for name, address in HOSTS.items())
    write("/etc/hosts", f"127.0.0.1 localhost\n{names}")
    certificates()
    secrets()
    crm = Process("crm", *WORLD, sys.executable, ROOT / "tests/login/crm.py")
    atexit.register(crm.stop)
    crm.wait_for("192.0.2.30", 443)


def world():
    """The network: this machine, and elsewhere the provider and the CRM.

    So port 443 is free for the proxy, at every address of this machine.
    """
    elsewhere = Process("elsewhere", "unshare", "--net", "sleep", "infinity").process
    atexit.register(elsewhere.kill)
    here = pathlib.Path("/proc/self/ns/net").readlink()
    eventually("a network elsewhere", lambda: pathlib.Path(f"/proc/{elsewhere.pid}/ns/net").readlink() != here)
    WORLD.append(f"--net=/proc/{elsewhere.pid}/ns/net")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(elsewhere.pid))
    for where, link, addresses in ([], "here", ["192.0.2.10"]), (WORLD, "there", ["192.0.2.20", "192.0.2.30"]):
        run(*where, "ip", "link", "set", link, "up")
        for address in addresses:
            run(*where, "ip", "address", "add", f"{address}/24", "dev", link)


def overlay(folder):
    """What is written to the folder from now on is written elsewhere, and gone at the end."""
    place = pathlib.Path("/mnt")
    run("mount", "-t", "tmpfs", "tmpfs", place)
    for name in ("upper", "work"):
        (place / name).mkdir()
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={folder},upperdir={place}/upper,workdir={place}/work", folder)


def certificates():
    """One certificate for all names, from an authority that this machine trusts."""
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    run(*request, "-subj", "/CN=Authority of the tests", "-keyout", "/tmp/ca.key", "-out", "/tmp/ca.pem")
    names = ",".join(f"DNS:{name}" for name in HOSTS)
    run(*request, "-subj", "/CN=chats.example.com", "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", "/tmp/ca.pem", "-CAkey", "/tmp/ca.key", "-keyout", "/etc/ssl/open-chat.key", "-out", "/etc/ssl/open-chat.pem")  # fmt: skip
    with pathlib.Path("/etc/ssl/certs/ca-certificates.crt").open("a") as trusted:
        trusted.write(pathlib.Path("/tmp/ca.pem").read_text())
    both = [pathlib.Path(f"/etc/ssl/open-chat.{part}").read_text() for part in ("pem", "key")]
    write("/etc/haproxy/open-chat.pem", "".join(both), 0o600)


def secrets():
    """What the documents tell an administrator to make, by the commands that they give."""
    write("/etc/oauth2-proxy/client-secret", CLIENT_SECRET)
    command = re.search(r"^# +(openssl .*) > cookie-secret$", (DOCS / "oauth2-proxy.cfg").read_text(), re.MULTILINE)[1]
    write("/etc/oauth2-proxy/cookie-secret", run("sh", "-c", command))
    write("/etc/nginx/open-chat-secret.conf", f'proxy_set_header X-Proxy-Secret "{PROXY_SECRET}";\n', 0o600)
    write("/etc/open-chat/proxy-secret", PROXY_SECRET)
    write("/etc/open-chat/pass-secret", PASS_SECRET)
    write("/etc/open-chat/chathub-password", "canary-chathub-password")
    write("/etc/open-chat/operators.toml", OPERATORS)


def keep_logs():
    """For the one who looks why a test has failed."""
    kept = TOOLS / "logs"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(LOGS, kept, ignore_dangling_symlinks=True)


def place(name, path, changes=()):
    """Puts a file of docs/proxies/ where it belongs.

    The changes are literal, and each has something to change.
    """
    text = (DOCS / name).read_text()
    for old, new in changes:
        assert old in text, f"{name} has no `{old}`"
        text = text.replace(old, new)
    write(path, text)


class Process:
    """A program that writes to a log of its own, and is ended at the end."""

    def __init__(self, name, *command, **options):
        self.log = LOGS / f"{name}.log"
        self.name = name
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def wait_for(self, address, port):
        """Until it listens there."""

        def listens():
            assert self.process.poll() is None, f"{self.name} has ended: {self.log.read_text()}"
            with contextlib.suppress(OSError):
                socket.create_connection((address, port), 10).close()
                return True

        eventually(f"{self.name} listens", listens)
        return self

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(60)
        self.process.kill()
        return self.process.wait()


class Stack(contextlib.ExitStack):
    """The programs of one test class; all end with it, the last one first."""

    def __init__(self):
        super().__init__()
        prepare()

    def start(self, name, *command, at, **options):
        process = Process(name, *command, **options)
        self.callback(process.stop)
        return process.wait_for(*at)

    def provider(self):
        command = [*WORLD, "node", ROOT / "tests/login/provider.mjs", "/etc/ssl/open-chat.key", "/etc/ssl/open-chat.pem", CLIENT_SECRET]
        return self.start("provider", *command, at=("192.0.2.20", 443))

    def open_chat(self, **variables):
        """open-chat by open-chat.env, and a ChatHub for it. The chat panel is the simulator's."""
        program = ROOT / "target/debug/open-chat"
        account = ["--login", "acme", "--password", "canary-chathub-password"]
        self.start("chathub", program, "simulate", *account, at=("127.0.0.1", 9000))
        write("/etc/open-chat/open-chat.env", (DOCS / "open-chat.env").read_text())
        surroundings = {
            "PATH": os.environ["PATH"],
            "CHATHUB_URL": "http://127.0.0.1:9000",
            "CHAT_PANEL_URL": "http://127.0.0.1:9000/",
            "LOG_FORMAT": "json",
            "DRAIN_DELAY": "0s",
            # No test fails because the machine is busy.
            "CHATHUB_CONNECT_TIMEOUT": "2m", "CHATHUB_ATTEMPT_TIMEOUT": "2m", "CLICK_BUDGET": "5m",
        }  # fmt: skip
        # The variables of a test come after those of the file.
        after = " ".join(f"{name}='{value}'" for name, value in variables.items())
        start = f"set -a; . /etc/open-chat/open-chat.env; {after} exec {program} serve"
        process = self.start("open-chat", "sh", "-c", start, at=("127.0.0.1", 8080), env=surroundings)
        eventually("open-chat is ready", lambda: fetch("http://127.0.0.1:8080/readyz").status == 200)
        return process

    def recorder(self):
        """A stand-in for open-chat that keeps what reaches it, see `recorded`."""
        RECORDED.unlink(missing_ok=True)
        return self.start("recorder", sys.executable, ROOT / "tests/login/recorder.py", RECORDED, at=("127.0.0.1", 8080))

    def oauth2_proxy(self, changes=()):
        place("oauth2-proxy.cfg", "/etc/oauth2-proxy/oauth2-proxy.cfg", changes)
        command = [TOOLS / "oauth2-proxy", "--config", "/etc/oauth2-proxy/oauth2-proxy.cfg"]
        return self.start("oauth2-proxy", *command, at=("127.0.0.1", 4180))

    def nginx(self, changes=(), port=443):
        busy = [("proxy_connect_timeout 2s", "proxy_connect_timeout 5m"), ("proxy_read_timeout 10s", "proxy_read_timeout 5m")]
        place("nginx.conf", "/etc/nginx/nginx.conf", [*busy, *changes])
        place("nginx-widget.conf", "/etc/nginx/nginx-widget.conf")
        return self.start("nginx", "/usr/sbin/nginx", "-g", "daemon off;", at=("192.0.2.10", port))

    def haproxy(self, changes=()):
        busy = [(f"timeout {what}s", f"timeout {what.split()[0]} 5m") for what in ("http-request 5", "connect 2", "server 10")]
        place("haproxy-oauth2-proxy.cfg", "/etc/haproxy/haproxy.cfg", [*busy, *changes])
        surroundings = {"PATH": os.environ["PATH"], "PROXY_SECRET": PROXY_SECRET}
        command = ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
        return self.start("haproxy", *command, at=("192.0.2.10", 443), env=surroundings)

    def apache(self, changes=()):
        """By the commands that stand in the file's head."""
        busy = [("connectiontimeout=2 timeout=10", "connectiontimeout=300 timeout=300")]
        place("apache.conf", "/etc/apache2/sites-available/open-chat.conf", [*busy, *changes])
        secrets = [("CLIENT_SECRET", CLIENT_SECRET), ("COOKIE_SECRET", "canary-cookie-secret"), ("PROXY_SECRET", PROXY_SECRET)]
        write("/etc/apache2/open-chat-secrets.conf", "".join(f"Define {name} {value}\n" for name, value in secrets), 0o600)
        for command in re.findall(r"^#     (a2.*)$", (DOCS / "apache.conf").read_text(), re.MULTILINE):
            run(*command.split())
        # As apache2ctl does, but for its shell, which would be ended in the place of Apache.
        start = ". /etc/apache2/envvars && mkdir -p $APACHE_RUN_DIR $APACHE_LOCK_DIR && exec apache2 -D FOREGROUND"
        return self.start("apache", "sh", "-c", start, at=("192.0.2.10", 443))


def recorded():
    """The requests that have reached the recorder."""
    return [json.loads(line) for line in RECORDED.read_text().splitlines()] if RECORDED.exists() else []


class Answer:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())

    def header(self, name):
        return ", ".join(self.headers.get(name, []))


def fetch(url, *options, headers=()):
    """What a program gets, by curl: the request goes as it is, and no redirect is followed."""
    given = [word for header in headers for word in ("--header", header)]
    command = ["curl", "--silent", "--include", "--path-as-is", "--http1.1", "--max-time", str(PATIENCE), *given, *options, url]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return Answer(text)


def clicks():
    """The chats that open-chat has opened, by its log: who, for whom, from where."""
    found = []
    for line in (LOGS / "open-chat.log").read_text().splitlines():
        entry = json.loads(line)
        if entry.get("message") == "click" and entry.get("outcome") == "redirect":
            found.append("{caller} {operator} {client}".format_map(entry))
    return found


def run_open_chat(*arguments, **variables):
    return run(ROOT / "target/debug/open-chat", *arguments, env=variables)


def logs_of_proxies():
    """Everything that the proxies, and open-chat, have logged so far, by file."""
    others = {"provider.log", "chathub.log", "chromedriver.log"}
    files = [path for path in LOGS.rglob("*") if path.is_file() and path.name not in others]
    return {str(path): path.read_text(errors="replace") for path in files}
