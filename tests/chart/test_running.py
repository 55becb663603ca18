"""What the chart makes of a release that runs already, which helm asks the cluster about."""

import contextlib
import http.server
import json
import os
import threading
import unittest

import yaml
from helm import CHART, HELMS, helm, mode, one, values_file

# The kinds that a release with an autoscaler has, by the group that has them.
GROUPS = {
    "v1": ["ConfigMap", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["Deployment"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "networking.k8s.io/v1": ["Ingress"],
    "policy/v1": ["PodDisruptionBudget"],
}


def resources(version):
    """The kinds of a group, as Kubernetes lists them."""
    plural = {"Ingress": "ingresses"}
    found = [
        {"name": plural.get(kind, f"{kind.lower()}s"), "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get"]}
        for kind in GROUPS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def answers(running):
    """What a cluster answers, by path: what it knows, and Deployments, by namespace and name, with so many pods."""
    groups = []
    for version in GROUPS:
        if "/" in version:
            named = {"groupVersion": version, "version": version.split("/")[1]}
            groups.append({"name": version.split("/")[0], "versions": [named], "preferredVersion": named})
    found = {
        "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
    }
    for version in GROUPS:
        found[f"/apis/{version}" if "/" in version else f"/api/{version}"] = resources(version)
    for (namespace, name), pods in running.items():
        # What helm 4 knows its own by.
        owner = {"meta.helm.sh/release-name": "buttons", "meta.helm.sh/release-namespace": "default"}
        metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": owner}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
        found[f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"] = {**deployment, "spec": {"replicas": pods}}
    return found


@contextlib.contextmanager
def cluster(running):
    """The address of a cluster that answers so."""
    known = answers(running)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = known.get(self.path.split("?")[0])
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            body = json.dumps(answer or missing).encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def replicas(running, values, binary):
    """How many pods the Deployment is to have, None where Kubernetes and the autoscaler are left to say."""
    with cluster(running) as address, values_file(values) as file:
        asked = ["--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", address, "--kubeconfig", os.devnull]
        run = helm("template", "buttons", CHART, "--values", mode("open"), "--values", file, *asked, binary=binary)
    assert run.returncode == 0, run.stderr
    return one([o for o in yaml.safe_load_all(run.stdout) if o], "Deployment")["spec"].get("replicas")


class Running(unittest.TestCase):
    def test_an_autoscaler_begins_with_as_many_pods_as_run(self):
        ours, scaled = ("default", "buttons-open-chat"), {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 5}}
        elsewhere = {**scaled, "namespaceOverride": "chats"}
        for binary in HELMS:
            for running, values, expected in [
                ({ours: 3}, scaled, 3),
                # Within the autoscaler's bounds, which it would go to at once.
                ({ours: 1}, scaled, 2),
                ({ours: 0}, scaled, 2),
                ({ours: 9}, scaled, 5),
                # The first installation.
                ({}, scaled, None),
                ({("default", "other-open-chat"): 4}, scaled, None),
                ({ours: 3, ("chats", "buttons-open-chat"): 4}, elsewhere, 4),
                # Without one, what the values say.
                ({ours: 3}, {"replicas": 1}, 1),
            ]:
                with self.subTest(running=running, values=values, helm=binary.parts[-3]):
                    self.assertEqual(replicas(running, values, binary), expected)


if __name__ == "__main__":
    unittest.main()
