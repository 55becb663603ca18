"""The image, and the chart's pods made of it, in real containers: with as little as they get in
Kubernetes, and a network of their own."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/chart"))
from helm import MODES, container, mode, one, template  # noqa: E402

IMAGE = "localhost/open-chat:test"
USER = 65532
CLICK = "operator=101&phone=%2B380501234567"
MEGABYTE = 1_000_000
# Time enough on a machine that is busy with other things; none of these tests is about that.
PATIENT = {"CHATHUB_CONNECT_TIMEOUT": "2m", "CHATHUB_ATTEMPT_TIMEOUT": "2m", "CLICK_BUDGET": "5m"}
os.environ["CONTAINERS_STORAGE_CONF"] = str(ROOT / "target/image/storage.conf")

# What stands in a Secret or ConfigMap that is taken care of elsewhere.
EXISTING = {
    "API_KEYS_FILE": '[[key]]\nname = "odoo"\nsha256 = "' + 64 * "a" + '"\n',
    "CONNECTORS_FILE": '[kommo]\naccounts = ["acme.kommo.com"]\nsecret = "canary-kommo-secret"\n',
    "DEVICES_REVOKED_FILE": "[[revoked]]\noperator = 101\n",
    "OPERATOR_MAP_FILE": '"ann@example.com" = 101\n',
    "REDIS_URL": "redis://127.0.0.1:6379",
}


def run(*command, check=True, **options):
    return subprocess.run(command, text=True, check=check, **{"capture_output": True, **options})


def podman(*arguments, **options):
    return run("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", *arguments, **options).stdout.strip()


class Container:
    """A container that is removed at the end."""

    def __init__(self, *arguments, env=(), network="none", mounts=()):
        options = [f"--env={name}={value}" for name, value in dict(env).items()]
        options += [f"--volume={directory}:{path}:ro" for path, directory in mounts]
        self.name = podman(
            "run", "--detach", "--log-driver=k8s-file", "--no-healthcheck", f"--network={network}",
            "--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges",
            # Some machines forbid to raise these, as podman would.
            "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
            *options, IMAGE, *arguments,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--time=0", self.name)

    def inspect(self, what):
        return podman("inspect", f"--format={{{{.{what}}}}}", self.name)

    def log(self):
        done = run("podman", "logs", self.name)
        return done.stdout + done.stderr

    def is_healthy(self, *address):
        with contextlib.suppress(subprocess.CalledProcessError):
            podman("exec", self.name, "/open-chat", "health", *address)
            return True
        return False

    def until_healthy(self, *address):
        self.until("healthy", lambda: self.is_healthy(*address))

    def inside(self, *command, **options):
        """Runs a program of this machine in the container's network."""
        return run("nsenter", f"--target={self.inspect('State.Pid')}", "--net", *command, **options)

    def ask(self, path, port=8080):
        """Status and place of an answer."""
        url = f"http://127.0.0.1:{port}{path}"
        done = self.inside("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", url, check=False)
        return done.stdout

    def until(self, what, check):
        # Minutes, because other things may keep the machine busy.
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            if check():
                return
            time.sleep(0.1)
        raise AssertionError(f"{what} is not so after 10 minutes: {self.log()}")


@contextlib.contextmanager
def directory(files):
    """Files as the kubelet mounts them: links to a directory that a change replaces as a whole."""
    with tempfile.TemporaryDirectory() as root:
        path = pathlib.Path(root)
        path.chmod(0o755)
        fill(path, files, "first")
        for name in files:
            (path / name).symlink_to(f"..data/{name}")
        yield path


def fill(path, files, version):
    (path / version).mkdir()
    for name, text in files.items():
        file = path / version / name
        file.write_text(text)
        # The mode that the chart asks for, and the group that the pod has.
        file.chmod(0o440)
        shutil.chown(file, "root", USER)
    (path / "..new").symlink_to(version)
    (path / "..new").rename(path / "..data")


@contextlib.contextmanager
def mounted(objects, values):
    """The volumes of the pod, each as a directory of this machine: pairs of path and directory."""
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    given = yaml.safe_load(values.read_text())
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    with contextlib.ExitStack() as stack:
        mounts = []
        for mount in container(objects).get("volumeMounts", []):
            volume = volumes[mount["name"]]
            name = volume.get("secret", {}).get("secretName") or volume.get("configMap", {}).get("name")
            existing = given.get("existingSecrets", {}).get(name)
            if existing:
                files = {key: EXISTING.get(variable, f"canary-of-32-bytes-or-more-{key:>32}") for variable, key in existing.items()}
            elif name and name == given.get("existingOperatorMap"):
                files = {"operator-map.toml": EXISTING["OPERATOR_MAP_FILE"]}
            elif name and name == given.get("devices", {}).get("existingRevoked"):
                files = {"devices-revoked.toml": EXISTING["DEVICES_REVOKED_FILE"]}
            elif name and name == given.get("connectors", {}).get("existingSecret"):
                files = {"connectors.toml": EXISTING["CONNECTORS_FILE"]}
            elif name and name.endswith("-connectors"):
                data = one(objects, "Secret", "-connectors")["data"]
                files = {key: base64.b64decode(text).decode() for key, text in data.items()}
            elif "secret" in volume:
                files = given["secrets"]
            elif name and name.endswith("-operators"):
                files = one(objects, "ConfigMap", "-operators")["data"]
            elif name and name.endswith("-devices"):
                files = one(objects, "ConfigMap", "-devices")["data"]
            else:
                files = {"proxy": "canary-proxy-secret"}
            mounts.append((mount["mountPath"], stack.enter_context(directory(files))))
        yield mounts


@contextlib.contextmanager
def files_of(image):
    """The directory in which an image's files can be looked at."""
    working = run("buildah", "from", "--pull-never", image).stdout.strip()
    try:
        yield pathlib.Path(run("buildah", "mount", working).stdout.strip())
    finally:
        run("buildah", "rm", working)


class Image(unittest.TestCase):
    def test_it_is_small_and_holds_five_files(self):
        size = int(podman("image", "inspect", "--format={{.Size}}", IMAGE))
        print(f"the image has {size / MEGABYTE:.1f} MB")
        self.assertLess(size, 20 * MEGABYTE)
        with files_of(IMAGE) as root:
            files = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
        self.assertEqual(files, {
            "open-chat", "open-chat.cdx.json", "etc/ssl/certs/ca-certificates.crt", "licenses/LICENSE", "licenses/THIRD-PARTY-NOTICES.txt",
        })  # fmt: skip

    def test_it_says_what_it_is(self):
        text = podman("image", "inspect", IMAGE)
        (image,) = yaml.safe_load(text)
        labels = image["Labels"]
        version = (ROOT / "Cargo.toml").read_text().split('\nversion = "')[1].split('"')[0]
        self.assertEqual(labels["org.opencontainers.image.version"], version)
        revision = run("git", "rev-parse", "HEAD", cwd=ROOT).stdout.strip()
        self.assertEqual(labels["org.opencontainers.image.revision"], revision)
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")
        self.assertEqual(labels["org.opencontainers.image.source"], "https://open-chat.example")
        created = run("git", "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd", cwd=ROOT, env=os.environ | {"TZ": "UTC"})
        self.assertEqual(labels["org.opencontainers.image.created"], created.stdout.strip())
        self.assertEqual(image["Config"]["User"], f"{USER}:{USER}")
        self.assertEqual(image["Healthcheck"]["Test"], ["CMD", "/open-chat", "health"])

    def test_it_lists_the_crates_that_are_built_in(self):
        with tempfile.TemporaryDirectory() as directory:
            archive = f"{directory}/image.tar"
            podman("save", "--quiet", "--format=oci-archive", f"--output={archive}", IMAGE)
            scan = ("scan", f"oci-archive:{archive}", "--quiet", "--select-catalogers=+sbom-cataloger", "--output=cyclonedx-json")
            listed = json.loads(run(ROOT / "target/tools/python/bin/syft", *scan).stdout)
        crates = {part["purl"].split("?")[0].replace("%2B", "+") for part in listed["components"] if part["type"] == "library"}
        tree = ("cargo", "tree", "--locked", "--target=host-tuple", "--edges=normal,no-proc-macro", "--prefix=none")
        lines = run(*tree, cwd=ROOT).stdout.splitlines()
        crates = {crate for crate in crates if crate.startswith("pkg:cargo/")}
        self.assertEqual(crates, {"pkg:cargo/{}@{}".format(*line.replace(" v", " ").split()) for line in lines})
        self.assertTrue(any(crate.startswith("pkg:cargo/actix-web@4.") for crate in crates))

        # A crate that can panic has left the paths of its files in the binary.
        with files_of(IMAGE) as root:
            binary = (root / "open-chat").read_bytes()
        traces = re.findall(rb"crates\.io-[0-9a-f]+/([\w-]+?)-(\d+\.\d+\.\d+[^/]*)/src/", binary)
        traced = {f"pkg:cargo/{name.decode()}@{version.decode()}" for name, version in traces}
        self.assertGreater(len(traced), 50)
        self.assertLessEqual(traced, crates)

    def test_it_opens_chats_and_ends_when_it_is_told_to(self):
        env = {
            "ACCESS": "open",
            "CHATHUB_URL": "http://127.0.0.1:9000",
            "CHAT_PANEL_URL": "http://127.0.0.1:9000",
            "CHATHUB_LOGIN": "demo",
            "CHATHUB_PASSWORD": "demo-password",
            **PATIENT,
        }
        with Container("simulate") as simulator, Container(env=env, network=f"container:{simulator.name}") as service:
            service.until("ready", lambda: service.ask("/readyz").startswith("200"))
            service.until_healthy()
            self.assertFalse(service.is_healthy("http://127.0.0.1:9001"))
            self.assertRegex(service.ask(f"/open-chat?{CLICK}"), r"^302 http://127\.0\.0\.1:9000/\?.*token=eyJ")
            self.assertTrue(service.ask("/open-chat?operator=101&phone=12345").startswith("400"))
            revision = run("git", "rev-parse", "HEAD", cwd=ROOT).stdout.strip()
            metrics = service.inside("curl", "--silent", "http://127.0.0.1:8080/metrics").stdout
            self.assertIn(f'open_chat_build_info{{revision="{revision}"', metrics)

            status = pathlib.Path(f"/proc/{service.inspect('State.Pid')}/status").read_text()
            for line in (f"Uid:\t{USER}\t{USER}", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"):
                self.assertIn(line, status)
            podman("kill", "--signal=TERM", service.name)
            self.assertEqual(podman("wait", service.name), "0")

    def test_bad_settings_end_it_with_78(self):
        with Container() as service:
            self.assertEqual(podman("wait", service.name), "78")
            self.assertIn("ACCESS", service.log())


class Pods(unittest.TestCase):
    """The pods of the chart."""

    def test_the_service_takes_what_the_chart_sets(self):
        for values in MODES:
            with self.subTest(values=values.name):
                objects = template(values)
                env = {variable["name"]: variable["value"] for variable in container(objects)["env"]}
                ops = next(port["containerPort"] for port in container(objects)["ports"] if port["name"] == "ops")
                with mounted(objects, values) as mounts, Container(env=env, mounts=mounts) as service:
                    service.until_healthy(f"http://127.0.0.1:{ops}")
                    self.assertTrue(service.ask("/metrics", ops).startswith("200"))
                    http = next(port["containerPort"] for port in container(objects)["ports"] if port["name"] == "http")
                    self.assertTrue(service.ask("/metrics", http).startswith("404"))

    def test_a_changed_secret_counts_without_a_restart(self):
        values = mode("existing-secret")
        objects = template(values)
        env = {variable["name"]: variable["value"] for variable in container(objects)["env"]}
        with mounted(objects, values) as mounts, Container(env=env, mounts=mounts) as service:
            service.until_healthy("http://127.0.0.1:9090")
            path = dict(mounts)["/run/secrets/open-chat.keys"]
            keys = yaml.safe_load(values.read_text())["existingSecrets"]["open-chat.keys"]
            files = {key: (path / key).read_text() for key in keys.values()}
            files["api-keys.toml"] += '[[key]]\nname = "new"\nsha256 = "' + 64 * "b" + '"\n'
            fill(path, files, "second")
            service.until("in force", lambda: "a changed file is in force" in service.log())

    def test_a_trial_works_and_helm_test_sees_it(self):
        objects = template(mode("simulator"))
        service_part, simulator_part = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
        env = {variable["name"]: variable["value"] for variable in service_part["env"]}
        with (
            Container(*simulator_part["args"]) as simulator,
            Container(env=env | PATIENT, network=f"container:{simulator.name}") as service,
        ):
            service.until("ready", lambda: service.ask("/readyz", 9090).startswith("200"))
            place = service.ask(f"/open-chat?{CLICK}").removeprefix("302 http://127.0.0.1:9000")
            self.assertTrue(service.ask(place, 9000).startswith("200"), place)

            (test,) = one(objects, "Pod")["spec"]["containers"]
            settings = {variable["name"]: variable["value"] for variable in test["env"]} | {"URL": "http://127.0.0.1:8080"}

            def helm_test(**changes):
                command = ["env", *(f"{k}={v}" for k, v in (settings | changes).items()), *test["command"], *test["args"]]
                return service.inside(*command, check=False)

            passed = helm_test()
            self.assertEqual(passed.returncode, 0, passed)
            self.assertIn("a click that must be refused: 400\na click that must succeed: 302 http://127.0.0.1:9000/\n", passed.stdout)
            self.assertNotEqual(helm_test(CLICK="operator=999&phone=0501234567").returncode, 0)
            # A chat panel that says 200 to everything is no open-chat.
            self.assertNotEqual(helm_test(URL="http://127.0.0.1:9000").returncode, 0)
            self.assertNotEqual(helm_test(URL="http://127.0.0.1:1").returncode, 0)


if __name__ == "__main__":
    unittest.main()
