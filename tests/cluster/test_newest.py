"""The API server of the newest Kubernetes takes all that the chart makes."""

import os
import pathlib
import subprocess
import unittest

import yaml
from cluster import TOOLS, until
from helm import MODES, template
from kube import kubectl

ADDRESS = "https://127.0.0.1:7443"


class Newest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(os.environ["CLUSTER"])
        log = cls.enterClassContext((folder / "logs/newest-apiserver.log").open("w"))
        server = subprocess.Popen(
            [
                "newest-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--etcd-prefix=/newest", "--secure-port=7443",
                f"--tls-cert-file={folder}/server.crt", f"--tls-private-key-file={folder}/server.key",
                f"--token-auth-file={folder}/tokens.csv", "--authorization-mode=RBAC",
                f"--service-account-key-file={folder}/accounts.key", f"--service-account-signing-key-file={folder}/accounts.key",
                "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.97.0.0/16",
                # No controllers make the account that pods get.
                "--disable-admission-plugins=ServiceAccount",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        until("it is ready", lambda: cls.kubectl("get", "--raw", "/readyz") == "ok")
        crds = [f"--filename={path}" for path in sorted((TOOLS / "crds").glob("*.yaml"))]
        cls.kubectl("apply", "--server-side", *crds)
        cls.kubectl("wait", "--for=condition=Established", "crds", "--all", "--timeout=600s")

    @staticmethod
    def kubectl(*arguments, **options):
        return kubectl(f"--server={ADDRESS}", *arguments, **options)

    def test_it_is_the_newest(self):
        self.assertIn('"gitVersion": "v1.37.2"', self.kubectl("get", "--raw", "/version"))

    def test_it_takes_every_file_to_the_letter(self):
        for number, path in enumerate(MODES):
            with self.subTest(values=path.name):
                space = f"mode-{number}"
                self.kubectl("create", "namespace", space)
                objects = yaml.safe_dump_all(template(path, kubernetes="1.37", namespace=space))
                said = self.kubectl("apply", "--validate=strict", "--filename=-", input=objects)
                self.assertIn("deployment.apps/", said)

    def test_it_takes_no_unknown_field(self):
        (first, *_) = template(MODES[0], kubernetes="1.37")
        first["spek"] = {}
        refused = subprocess.run(
            ["kubectl", f"--server={ADDRESS}", "apply", "--validate=strict", "--filename=-"],
            input=yaml.safe_dump(first), text=True, capture_output=True, check=False,
        )  # fmt: skip
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('unknown field "spek"', refused.stderr)
