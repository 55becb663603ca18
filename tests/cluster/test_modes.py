"""Every ci/ file of the chart, in a namespace that is as strict as can be, with helm 3 and 4."""

import time
import unittest

import yaml
from kube import CHART, HELMS, MODES, Namespace, in_cluster, mode, until
from passes import signed

# Requests of processor time stay out, which a login of extraContainers need not have.
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team"},
    "spec": {"hard": {"pods": "12", "requests.memory": "4Gi", "limits.memory": "8Gi"}},
}
KINDS = (
    "all,configmaps,secrets,serviceaccounts,ingresses,httproutes,networkpolicies,poddisruptionbudgets,"
    "horizontalpodautoscalers,servicemonitors,prometheusrules,endpointslices"
)
CLICK = "operator=101&phone=%2B380501234567"


def values_of(path):
    """A ci/ file as it is, but for what cannot be had here."""
    values = in_cluster(yaml.safe_load(path.read_text()))
    if path == mode("existing-secret"):
        # The files that a driver would bring.
        for volume in values["extraVolumes"]:
            if volume["name"] == "vault":
                del volume["emptyDir"]
                volume["secret"] = {"secretName": "vault"}
    if path == mode("key"):
        # In the place of a pass that has ended.
        signature = signed("canary-pass-secret-of-32-bytes-or-more", {"sub": "101", "exp": int(time.time()) + 3000})
        values["test"] = {"click": f"phone=%2B380501234567&pass={signature}"}
    if path == mode("open"):
        values["test"] = {"click": CLICK}
    return values


class Modes(unittest.TestCase):
    def test_each_is_installed_tested_and_leaves_nothing(self):
        for path in MODES:
            for binary in HELMS:
                with self.subTest(values=path.name, helm=binary.parts[-3]), Namespace() as space:
                    self.try_out(space, binary, path)

    def try_out(self, space, binary, path):
        space.apply(QUOTA)
        space.apply_around()
        before = self.names(space)
        space.install(binary, "buttons", values_of(path))
        # An autoscaler adds its own a little later.
        until(f"{PODS.get(path.name, 2)} pods are ready", lambda: self.ready(space) == PODS.get(path.name, 2))
        for pod in space.pods("buttons"):
            restarts = [container["restartCount"] for container in pod["status"]["containerStatuses"]]
            self.assertEqual(set(restarts), {0}, space.describe())

        tested = space.helm(binary, "test", "buttons", "--logs", "--timeout=600s")
        self.assertIn("a click that must be refused: ", tested.stdout)
        expected = "a click that must succeed: 302 http" if path in CLICKED else "no click that should succeed"
        self.assertIn(expected, tested.stdout)

        space.helm(binary, "uninstall", "buttons", "--wait", "--timeout=600s")
        # helm leaves a test's pod, so that its log can be read.
        (test,) = {name for name in self.names(space) if name.startswith("pod/") and name.endswith("-test")}
        space.kubectl("delete", test)
        until("all has gone", lambda: self.names(space) <= before)

    @staticmethod
    def ready(space):
        conditions = [c for pod in space.pods("buttons") for c in pod["status"].get("conditions", [])]
        return len([c for c in conditions if c["type"] == "Ready" and c["status"] == "True"])

    @staticmethod
    def names(space):
        return set(space.kubectl("get", KINDS, "--output=name").split())


CLICKED = {mode("simulator"), mode("key"), mode("open")}
# Where there are not two.
PODS = {"everything-on-values.yaml": 3, "open-values.yaml": 1, "redis-values.yaml": 3, "simulator-values.yaml": 1}


class Quota(unittest.TestCase):
    def test_one_of_processor_time_takes_a_limit(self):
        quota = QUOTA | {"spec": {"hard": {"limits.cpu": "4"}}}
        values = values_of(mode("simulator"))
        why = "failed quota: team: must specify limits.cpu"
        for binary in HELMS:
            with self.subTest(helm=binary.parts[-3]), Namespace() as space:
                space.apply(quota)
                space.helm(binary, "install", "buttons", CHART, values=values)
                until(f"it says {why}", lambda: why in space.kubectl("describe", "replicasets"))
                self.assertEqual(space.pods("buttons"), [])
                values_with = values | {"resources": {"limits": {"cpu": "500m", "memory": "384Mi"}}}
                space.install(binary, "buttons", values_with)
                self.assertEqual(len(space.pods("buttons")), 1)
