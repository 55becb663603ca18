"""What the chart makes of a release that runs already, which helm asks the cluster about."""

import os
import unittest

import yaml
from answers import serving
from helm import CHART, HELMS, helm, mode, one, values_file

# The kinds that a release with an autoscaler has, by the group that has them.
GROUPS = {
    "v1": ["ConfigMap", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["Deployment"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "networking.k8s.io/v1": ["Ingress"],
    "policy/v1": ["PodDisruptionBudget"],
}
SCALED = {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 5}}


def resources(version):
    """The kinds of a group, as Kubernetes lists them."""
    plural = {"Ingress": "ingresses"}
    found = [
        {"name": plural.get(kind, f"{kind.lower()}s"), "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get"]}
        for kind in GROUPS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def existing(kind, version, namespace, name, made, **more):
    """An object of the release, made so many seconds after the first."""
    # What helm 4 knows its own by.
    owner = {"meta.helm.sh/release-name": "buttons", "meta.helm.sh/release-namespace": "default"}
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": owner,
        "creationTimestamp": f"2026-11-26T08:{made // 60:02}:{made % 60:02}Z",
        **more.pop("metadata", {}),
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def set_by(fields):
    """Who has set which fields of `spec`, by operation."""
    entry = {"manager": "m", "apiVersion": "apps/v1", "fieldsType": "FieldsV1"}
    return [{**entry, "operation": way, "fieldsV1": {"f:spec": {f"f:{name}": {} for name in names}}} for way, names in fields.items()]


def answers(pods, scaler=None, namespace="default", name="buttons-open-chat", **fields):
    """What a cluster answers, by path: what it knows, and two objects of the release.

    They are a Deployment with so many pods, whose fields were set so, and an autoscaler that was
    made so many seconds later."""
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
    if pods is not None:
        found[f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"] = existing(
            "Deployment", "apps/v1", namespace, name, 0, spec={"replicas": pods}, metadata={"managedFields": set_by(fields)}
        )
    if scaler is not None:
        found[f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}"] = existing(
            "HorizontalPodAutoscaler", "autoscaling/v2", namespace, name, scaler, spec={}
        )
    return found


def cluster(known):
    """A server that knows these paths, as a cluster would say it."""
    missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    return serving(lambda path: (200, known[path]) if path in known else (404, missing))


def replicas(known, values, binary):
    """How many pods the Deployment is to have; None where it does not say."""
    with cluster(known) as address, values_file(values) as file:
        asked = ["--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", address, "--kubeconfig", os.devnull]
        run = helm("template", "buttons", CHART, "--values", mode("open"), "--values", file, *asked, binary=binary)
    assert run.returncode == 0, run.stderr
    return one([o for o in yaml.safe_load_all(run.stdout) if o], "Deployment")["spec"].get("replicas")


class Running(unittest.TestCase):
    def check(self, *cases):
        for binary in HELMS:
            for known, values, expected in cases:
                with self.subTest(known=known, values=values, helm=binary.parts[-3]):
                    self.assertEqual(replicas(known, values, binary), expected)

    def test_an_autoscaler_begins_with_as_many_pods_as_run(self):
        self.check(
            (answers(3), SCALED, 3),
            # Within the autoscaler's bounds, which it would go to at once.
            (answers(1), SCALED, 2),
            (answers(0), SCALED, 2),
            (answers(9), SCALED, 5),
            (answers(4, namespace="chats"), {**SCALED, "namespaceOverride": "chats"}, 4),
            # The first installation.
            (answers(None), SCALED, None),
            (answers(4, name="other-open-chat"), SCALED, None),
            # Without one, what the values say.
            (answers(3), {"replicas": 1}, 1),
        )

    def test_helm_4_sets_the_number_for_as_long_as_it_is_its_own(self):
        """Without a number it would be one pod, with the autoscaler's a conflict."""
        self.check(
            (answers(3, Apply=["replicas", "template"]), SCALED, 3),
            (answers(3, scaler=100, Apply=["replicas", "template"]), SCALED, 3),
            (answers(3, scaler=100, Apply=["template"], Update=["replicas"]), SCALED, None),
            (answers(3, scaler=0, Apply=["template"], Update=["replicas"]), SCALED, None),
        )

    def test_helm_3_sets_the_number_for_ever_once_it_has(self):
        """It compares manifests: without a number after one with it there would be one pod."""
        self.check(
            (answers(3, Update=["replicas"]), SCALED, 3),
            (answers(3, scaler=100, Update=["replicas"]), SCALED, 3),
            # They were installed together, so it never has.
            (answers(3, scaler=1, Update=["replicas"]), SCALED, None),
            (answers(3, scaler=2, Update=["replicas"]), SCALED, 3),
        )


if __name__ == "__main__":
    unittest.main()
