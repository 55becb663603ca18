"""What `make release` has made, in containers of the systems that it is for, by a real systemd."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tarfile
import time
import unittest

ROOT = pathlib.Path(__file__).parents[2]
ARTIFACTS = ROOT / "target/release-artifacts"
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
NEXT = "0.9.0"
TARBALL = ARTIFACTS / f"open-chat-{VERSION}-x86_64-linux.tar.gz"
UNIT = "open-chat.service"
SETTINGS = """
ACCESS=pass
CHATHUB_LOGIN=demo
CHATHUB_PASSWORD_FILE=/run/credentials/open-chat.service/secret_chathub
CHATHUB_URL=http://127.0.0.1:9000
CHAT_PANEL_URL=http://127.0.0.1:9000
CHATHUB_CONNECT_TIMEOUT=2m
CHATHUB_ATTEMPT_TIMEOUT=2m
CLICK_BUDGET=5m
LISTEN=127.0.0.1:8080
OPS_LISTEN=127.0.0.1:9090
PASS_SECRET_FILE=/run/credentials/open-chat.service/secret_pass
"""
PASS_SECRET = "canary-of-32-bytes-or-more-for-passes"
PASSWORD = "demo-password"
os.environ["CONTAINERS_STORAGE_CONF"] = str(ROOT / "target/packages/storage.conf")
# What a test has started ends with it, also when the test is told to end.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def run(*command, check=False, **options):
    return subprocess.run(command, check=check, text=True, capture_output=True, **options)


def podman(*arguments, **options):
    return run("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", *arguments, **options)


class Machine:
    """A container without a network."""

    def __init__(self, system, *arguments, init=("sleep", "infinity")):
        done = podman(
            "run", "--detach", "--rm", "--network=none", "--log-driver=k8s-file",
            # Some machines forbid to raise these, as podman would.
            "--ulimit=nofile=20000:20000", "--ulimit=nproc=20000:20000",
            f"--volume={ARTIFACTS}:/artifacts:ro", f"--volume={ROOT}/target/packages/next:/next:ro",
            *arguments, f"localhost/open-chat-{system}", *init,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.name = done.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--time=0", self.name)

    def run(self, *command, **options):
        return podman("exec", "--interactive", self.name, *command, **options)

    def do(self, *command, **options):
        """Runs a command that must succeed, and returns what it prints."""
        done = self.run(*command, **options)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def write(self, path, text, mode="0644"):
        self.do("sh", "-c", f"umask 077 && cat >{path} && chmod {mode} {path}", input=text)

    def until(self, what, check):
        # Minutes, because other things may keep the machine busy.
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            if check():
                return
            time.sleep(0.2)
        raise AssertionError(f"{what} is not so after 10 minutes: {self.run('journalctl', '--no-pager', '--lines=50').stdout}")

    def unit(self, name):
        return self.do("systemctl", "show", "--value", f"--property={name}", UNIT)

    def ask(self, url, *arguments):
        return self.run("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", *arguments, url).stdout


@contextlib.contextmanager
def booted(system):
    """A machine that systemd has started."""
    # Credentials are mounts that units get from systemd's own.
    init = ("sh", "-c", "mount --make-rshared / && exec /lib/systemd/systemd")
    with Machine(system, "--systemd=always", "--privileged", init=init) as machine:
        states = ("running", "degraded")
        machine.until("booted", lambda: machine.run("systemctl", "is-system-running").stdout.strip() in states)
        yield machine


def unpacked():
    """The program of the archive."""
    folder = ROOT / "target/packages"
    with tarfile.open(TARBALL) as archive:
        archive.extract(f"open-chat-{VERSION}-x86_64-linux/open-chat", folder, filter="data")
    return folder / f"open-chat-{VERSION}-x86_64-linux/open-chat"


def package_of_the_next_version():
    """The same files under a higher version, for an upgrade."""
    folder = ROOT / "target/packages/next"
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "VERSION": NEXT, "ARCHITECTURE": "amd64", "MAINTAINER": "test <test@example.com>", "HOMEPAGE": "https://example.com",
    }  # fmt: skip
    nfpm = ROOT / "target/release-tools/python/bin/nfpm"
    for packager, name in (("deb", "next.deb"), ("rpm", "next.rpm")):
        command = (nfpm, "package", "--config", "packaging/nfpm.yaml", "--packager", packager, "--target", folder / name)
        run(*command, cwd=ROOT, env=environment, check=True)


class Program(unittest.TestCase):
    """The program as it lies in the archive."""

    def test_it_runs_on_each_debian_and_opens_a_chat(self):
        program = unpacked()
        for system in ("bullseye", "bookworm", "trixie"):
            with self.subTest(system=system), Machine(system, f"--volume={program}:/usr/local/bin/open-chat:ro") as machine:
                self.assertRegex(machine.do("open-chat", "--version"), rf"^open-chat {re.escape(VERSION)} \([0-9a-f]{{40}}\)$")
                podman("exec", "--detach", machine.name, "open-chat", "demo")
                machine.until("up", lambda: machine.run("open-chat", "health", "http://127.0.0.1:8080").returncode == 0)
                machine.until("ready", lambda: machine.ask("http://127.0.0.1:8080/readyz").startswith("200"))
                clicked = machine.ask("http://127.0.0.1:8080/open-chat?operator=101&phone=%2B380501234567")
                self.assertTrue(clicked.startswith("302 http://127.0.0.1:8081/?phone=%2B380501234567&token="), clicked)

    def test_names_are_resolved_by_the_hosts_own_modules(self):
        # A static glibc loads these modules, and dies of them with SIGFPE.
        with Machine("trixie", f"--volume={unpacked()}:/usr/local/bin/open-chat:ro") as machine:
            machine.do("sed", "-i", "s/^hosts:.*/hosts: files resolve [!UNAVAIL=return] myhostname dns/", "/etc/nsswitch.conf")
            settings = ("ACCESS=open", "CHATHUB_URL=https://chathub.example.com", "CHATHUB_LOGIN=demo", "CHATHUB_PASSWORD=canary-password")
            done = machine.run("env", *settings, "open-chat", "check")
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("chathub.example.com", done.stdout + done.stderr)


class Packages(unittest.TestCase):
    """A life of the service: installed, set, used, upgraded, removed."""

    @classmethod
    def setUpClass(cls):
        package_of_the_next_version()

    def test_lintian_finds_nothing(self):
        done = run("lintian", "--allow-root", "--fail-on=error,warning", str(ARTIFACTS / f"open-chat_{VERSION}_amd64.deb"))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done)

    def test_a_deb(self):
        for system in ("bookworm", "trixie"):
            with self.subTest(system=system), booted(system) as machine:
                self.install_and_use(machine, "apt-get", "install", "--yes", f"/artifacts/open-chat_{VERSION}_amd64.deb")
                self.upgrade(machine, "apt-get", "install", "--yes", "/next/next.deb")
                machine.do("apt-get", "remove", "--yes", "open-chat")
                self.assertNotEqual(machine.run("systemctl", "is-active", UNIT).stdout.strip(), "active")
                self.assertEqual(machine.run("test", "-e", "/usr/bin/open-chat").returncode, 1)
                self.assertIn("CHATHUB_LOGIN=demo", machine.do("cat", "/etc/open-chat/open-chat.env"))
                machine.do("apt-get", "purge", "--yes", "open-chat")
                self.assert_nothing_is_left(machine)

    def test_an_rpm(self):
        # Debian's rpm knows no package that could be needed.
        rpm = ("rpm", "--nodeps", "--nosignature")
        with booted("trixie") as machine:
            self.install_and_use(machine, *rpm, "--install", f"/artifacts/open-chat-{VERSION}.x86_64.rpm")
            machine.do("rpm", "--verify", "--nodeps", "--noconfig", "open-chat")
            self.upgrade(machine, *rpm, "--upgrade", "/next/next.rpm")
            machine.do("rm", "-r", "/etc/open-chat/secrets")
            machine.do(*rpm, "--erase", "open-chat")
            # What was changed is kept beside.
            self.assertIn("CHATHUB_LOGIN=demo", machine.do("cat", "/etc/open-chat/open-chat.env.rpmsave"))
            machine.do("rm", "-r", "/etc/open-chat")
            self.assert_nothing_is_left(machine)

    def install_and_use(self, machine, *install):
        machine.do(*install)
        self.assertEqual(machine.run("systemctl", "is-active", UNIT).stdout.strip(), "inactive")
        self.assertEqual(machine.run("systemctl", "is-enabled", UNIT).stdout.strip(), "disabled")
        self.without_settings(machine)

        machine.write("/etc/open-chat/open-chat.env", SETTINGS)
        machine.write("/etc/open-chat/secrets/chathub", PASSWORD, "0600")
        machine.write("/etc/open-chat/secrets/pass", PASS_SECRET, "0600")
        machine.do("systemd-run", "--unit=simulator", "/usr/bin/open-chat", "simulate", "--port", "9000")
        machine.do("systemctl", "enable", "--now", UNIT)
        self.click(machine)
        # As docs/install.md has it: the files of a running unit are root's to read.
        checked = machine.do("sh", "-c", "set -a; . /etc/open-chat/open-chat.env; open-chat check")
        self.assertIn("every setting is good", checked)
        self.is_locked_up(machine)
        self.a_secret_counts_after_a_restart(machine)

    def without_settings(self, machine):
        machine.do("systemctl", "start", UNIT)
        machine.until("failed", lambda: machine.unit("ActiveState") == "failed")
        self.assertEqual((machine.unit("ExecMainStatus"), machine.unit("NRestarts")), ("78", "0"))
        self.assertIn("ACCESS", machine.do("journalctl", "--no-pager", "--unit", UNIT))
        machine.do("systemctl", "reset-failed", UNIT)

    def click(self, machine):
        machine.until("ready", lambda: machine.ask("http://127.0.0.1:9090/readyz").startswith("200"))
        secret = f"PASS_SECRET={PASS_SECRET}"
        link = machine.do("env", secret, "PUBLIC_URL=http://127.0.0.1:8080", "open-chat", "link", "--operator", "101", "--phone", "+380501234567")
        self.assertRegex(machine.ask(link), r"^302 http://127\.0\.0\.1:9000/\?phone=%2B380501234567&token=eyJ")

    def is_locked_up(self, machine):
        score = re.search(r"Overall exposure level for open-chat.service: ([0-9.]+)", machine.do("systemd-analyze", "--no-pager", "security", UNIT))[1]
        self.assertLess(float(score), 2)
        status = machine.do("cat", f"/proc/{machine.unit('MainPID')}/status")
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertNotIn("Uid:\t0\t", status)
        self.assertEqual(machine.unit("LimitNOFILE"), "65536")
        journal = machine.do("journalctl", "--no-pager", "--unit", UNIT)
        self.assertIn("CHATHUB_LOGIN", journal)
        self.assertEqual((journal.count(PASSWORD), journal.count(PASS_SECRET)), (0, 0))
        # The process sees itself, for its own metrics.
        metrics = machine.do("curl", "--silent", "http://127.0.0.1:9090/metrics")
        self.assertTrue("\nprocess_start_time_seconds " in metrics, metrics[-2000:])

    def a_secret_counts_after_a_restart(self, machine):
        key = "/run/credentials/open-chat.service/secret_pass"
        machine.write("/etc/open-chat/secrets/pass", f"{PASS_SECRET}-2", "0600")
        self.assertEqual(machine.do("cat", key), PASS_SECRET)
        machine.do("systemctl", "restart", UNIT)
        self.assertEqual(machine.do("cat", key), f"{PASS_SECRET}-2")
        machine.write("/etc/open-chat/secrets/pass", PASS_SECRET, "0600")
        machine.do("systemctl", "restart", UNIT)

    def upgrade(self, machine, *install):
        before = machine.unit("MainPID")
        machine.do(*install, input="")
        self.assertNotEqual(machine.unit("MainPID"), before)
        self.assertEqual(machine.do("systemctl", "is-enabled", UNIT), "enabled")
        self.click(machine)

    def assert_nothing_is_left(self, machine):
        for path in ("/etc/open-chat", f"/usr/lib/systemd/system/{UNIT}", "/usr/share/man/man1/open-chat.1.gz"):
            self.assertEqual(machine.run("test", "-e", path).returncode, 1, path)
        self.assertEqual(machine.run("systemctl", "is-active", UNIT).stdout.strip(), "inactive")


if __name__ == "__main__":
    unittest.main()
