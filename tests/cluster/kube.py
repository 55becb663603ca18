"""What the tests do in the cluster. They run inside its network (run.py), with KUBECONFIG set."""

import contextlib
import json
import os
import pathlib
import secrets
import subprocess
import tempfile

import yaml
from cluster import CHATHUB, HERE, PATIENCE, run, until
from helm import CHART, HELMS, MODES, ROOT, mode

__all__ = ["CHART", "HELMS", "MODES", "ROOT", "mode", "until"]

IMAGE = {"repository": "localhost/open-chat", "tag": "test", "digest": "", "pullPolicy": "Never"}
AUTHORITY = "/etc/ssl/chathub/ca.crt"
CLICK = "operator=101&phone=%2B380501234567"
# The chart as the first users have it.
FIRST = "ac7cca5"


def kubectl(*arguments, **options):
    return run("kubectl", *arguments, **options).stdout


def curl(*arguments, **options):
    """Status and place of an answer."""
    write = "%{http_code} %{redirect_url}"
    command = ("curl", "--silent", "--max-time", "60", "--output", "/dev/null", "--write-out", write)
    return run(*command, *arguments, check=False, **options).stdout


@contextlib.contextmanager
def chart_at(revision):
    """The chart as it was at a commit."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision, "helm/open-chat"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
        yield pathlib.Path(folder) / "helm/open-chat"


def in_cluster(values):
    """A ci/ file's values, with what this cluster has in the place of the Internet.

    The image is the one that was built here, and ChatHub stands behind Traefik, with a certificate
    of a private authority.
    """
    values = dict(values)
    values["image"] = IMAGE
    if not values.get("simulator", {}).get("enabled"):
        url = f"https://{CHATHUB}"
        values["config"] = values.get("config", {}) | {"CHATHUB_URL": url, "CHAT_PANEL_URL": url}
        for name, more in {
            "extraEnv": {"name": "SSL_CERT_FILE", "value": AUTHORITY},
            "extraVolumes": {"name": "chathub-authority", "configMap": {"name": "chathub-authority"}},
            "extraVolumeMounts": {"name": "chathub-authority", "mountPath": "/etc/ssl/chathub", "readOnly": True},
        }.items():
            values[name] = [*values.get(name, []), more]
    return values


class Namespace:
    """A namespace in which the strictest of Kubernetes' standards for pods is enforced."""

    def __init__(self, name="chat", standard="restricted"):
        self.name = f"{name}-{secrets.token_hex(2)}"
        self.standard = standard

    def __enter__(self):
        labels = {"pod-security.kubernetes.io/enforce": self.standard}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name, "labels": labels}})
        authority = pathlib.Path(os.environ["CLUSTER"]) / "ca.crt"
        self.config_map("chathub-authority", {"ca.crt": authority.read_text()})
        until("the namespace's account is there", lambda: self.kubectl("get", "serviceaccount", "default"))
        return self

    def __exit__(self, *_):
        if os.environ.get("KEEP"):
            return
        kubectl("delete", "namespace", self.name, "--wait", f"--timeout={PATIENCE}s")

    def kubectl(self, *arguments, **options):
        # In front, because exec takes what follows for the program's.
        return kubectl(f"--namespace={self.name}", *arguments, **options)

    def get(self, *what):
        """An object, or the list of a kind."""
        found = json.loads(self.kubectl("get", *what, "--output=json"))
        return found.get("items", found)

    def apply(self, *objects):
        for each in objects:
            self.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", input=json.dumps(each))

    def apply_around(self):
        """What the ci/ files count on."""
        self.kubectl("apply", f"--filename={HERE / 'around.yaml'}")
        self.kubectl("wait", "--for=condition=Ready", "pod/valkey", f"--timeout={PATIENCE}s")

    def config_map(self, name, texts):
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts})

    def secret(self, name, texts):
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts})

    def helm(self, binary, *arguments, values=None, check=True):
        """Runs helm; `values` is a dictionary that becomes a file."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            files = []
            if values is not None:
                yaml.safe_dump(values, file)
                file.flush()
                files = ["--values", file.name]
            done = run(binary, f"--namespace={self.name}", *arguments, *files, check=False)
        if check and done.returncode:
            raise AssertionError(f"helm {arguments}: {done.stdout}{done.stderr}\n{self.describe()}")
        return done

    def install(self, binary, release, values, chart=CHART, *options):
        """Installs, or upgrades, and waits until all is ready."""
        arguments = ("upgrade", "--install", release, chart, "--wait", f"--timeout={PATIENCE}s", *options)
        return self.helm(binary, *arguments, values=values)

    def describe(self):
        """What is wrong here, for the reader of a failure."""
        parts = [self.kubectl("get", "pods"), self.kubectl("get", "events", "--sort-by=.lastTimestamp")]
        for pod in self.get("pods"):
            logs = ("logs", pod["metadata"]["name"], "--all-containers", "--prefix", "--tail=5")
            parts.append(self.kubectl(*logs, check=False))
        return "\n".join(parts)

    def pods(self, release):
        """The service's pods that are not about to go."""
        selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/name=open-chat"
        return [pod for pod in self.get("pods", f"--selector={selector}") if "deletionTimestamp" not in pod["metadata"]]

    def ends_of(self, release):
        """What Kubernetes keeps of why the service's containers have ended."""
        messages = set()
        for pod in self.pods(release):
            for container in pod["status"].get("containerStatuses", []):
                for state in (container["state"], container["lastState"]):
                    if "terminated" in state:
                        messages.add(state["terminated"].get("message", ""))
        return sorted(messages)

    def address(self, service):
        """A Service's address, as http://…"""
        spec = self.get("service", service)["spec"]
        return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"
