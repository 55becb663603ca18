"""Pods that end, each in its way, while agents click by Service, Ingress and Gateway."""

import collections
import contextlib
import unittest

import yaml
from clicks import Clicks
from cluster import ADDRESS, NODES
from kube import HELMS, Namespace, in_cluster, kubectl, mode, run, until

# What an agent sees of a pod that is killed in the middle of an answer, or has just been: without a
# proxy, and through Traefik.
BROKEN = {"RemoteDisconnected", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError", "IncompleteRead", "502"}


def values():
    """Two pods with every way in, and limits that these few busy agents do not reach."""
    given = yaml.safe_load(mode("open").read_text())
    given["config"] |= {"RATE_LIMIT_CLIENT": "100000/s", "RATE_LIMIT_OPERATOR": "100000/s"}
    given["config"] |= {"ALLOWED_NETWORKS": ["10.0.0.0/8"], "TRUSTED_PROXIES": [f"{ADDRESS}/32", "10.244.0.0/16"]}
    return in_cluster(
        given
        | {
            "replicas": 2,
            "ingress": {"enabled": True, "className": "traefik", "hosts": ["ingress.example.com"]},
            "httpRoute": {
                "enabled": True,
                "parentRefs": [{"name": "public", "namespace": "gateways"}],
                "hostnames": ["gateway.example.com"],
            },
        }
    )


class Endings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.space = cls.enterClassContext(Namespace("endings"))
        cls.space.install(HELMS[1], "buttons", values())

    @contextlib.contextmanager
    def clicks(self):
        """Agents at each of the three ways in, who have all got to a chat by now."""
        addresses = {
            "Service": (self.space.address("buttons-open-chat"), {}),
            "Ingress": (f"http://{ADDRESS}", {"Host": "ingress.example.com"}),
            "Gateway": (f"http://{ADDRESS}", {"Host": "gateway.example.com"}),
        }
        for way, (url, headers) in addresses.items():
            until(f"the {way} leads to the pods", lambda url=url, headers=headers: self.leads(url, headers))
        with contextlib.ExitStack() as stack:
            ways = {
                way: stack.enter_context(Clicks(url, headers=headers, agents=2, pause=0.03)) for way, (url, headers) in addresses.items()
            }
            for clicks in ways.values():
                clicks.wait_for(50)
            yield ways
            for clicks in ways.values():
                clicks.wait_for(50)
        said = [f"{way}: {c.opened} opened, {dict(c.lost)} lost, slowest {c.slowest:.2f} s" for way, c in ways.items()]
        print(f"{self.id().rsplit('.')[-1]}: {'; '.join(said)}")

    @staticmethod
    def leads(url, headers):
        with Clicks(url, headers=headers, agents=1) as clicks:
            clicks.wait_for(20)
        return not clicks.lost

    def assert_none_is_lost(self, ways):
        self.assertEqual({way: dict(clicks.lost) for way, clicks in ways.items()}, {"Service": {}, "Ingress": {}, "Gateway": {}})

    def identities(self):
        return {pod["metadata"]["uid"] for pod in self.space.pods("buttons")}

    def wait_until_ready(self):
        self.space.kubectl("rollout", "status", "deployment/buttons-open-chat", "--timeout=600s")

    def test_ten_rollouts(self):
        seen = self.identities()
        with self.clicks() as ways:
            for _ in range(10):
                self.space.kubectl("rollout", "restart", "deployment/buttons-open-chat")
                self.wait_until_ready()
                seen |= self.identities()
        self.assert_none_is_lost(ways)
        self.assertEqual(len(seen), 22)

    def test_a_deleted_pod(self):
        (first, _) = self.space.pods("buttons")
        with self.clicks() as ways:
            self.space.kubectl("delete", "pod", first["metadata"]["name"], "--wait")
            self.wait_until_ready()
        self.assert_none_is_lost(ways)
        self.assertNotIn(first["metadata"]["uid"], self.identities())

    def test_a_node_that_is_drained(self):
        names = [pod["spec"]["nodeName"] for pod in self.space.pods("buttons")]
        self.assertEqual(sorted(names), sorted(NODES), "the chart spreads them")
        self.addCleanup(kubectl, "uncordon", NODES[0])
        with self.clicks() as ways:
            kubectl("drain", NODES[0], "--pod-selector=app.kubernetes.io/name=open-chat", "--timeout=600s")
            self.wait_until_ready()
        self.assert_none_is_lost(ways)
        until("all are elsewhere", lambda: [pod["spec"]["nodeName"] for pod in self.space.pods("buttons")] == [NODES[1]] * 2)

    def test_a_killed_container_costs_only_what_reaches_it(self):
        pod = self.space.pods("buttons")[0]
        before = self.restarts(pod)
        with self.clicks() as ways:
            self.kill(pod)
            until("it has been started anew", lambda: self.restarts(pod) == before + 1)
            self.wait_until_ready()
            # The proxies on the way learn of it a little later.
            until("no click is lost any more", lambda: self.none_is_lost_now(ways))
        for way, clicks in ways.items():
            with self.subTest(way=way):
                self.assertLessEqual(set(clicks.lost), BROKEN)
                self.assertGreater(clicks.opened, 100)

    def restarts(self, pod):
        status = self.space.get("pod", pod["metadata"]["name"])["status"]["containerStatuses"][0]
        return status["restartCount"]

    @staticmethod
    def kill(pod):
        """As the kernel does it to what takes too much memory: without a word."""
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        ctr = ("ctr", f"--address=/run/{pod['spec']['nodeName']}/containerd.sock", "--namespace=k8s.io")
        run(*ctr, "tasks", "kill", "--signal=SIGKILL", container)

    @staticmethod
    def none_is_lost_now(ways):
        before = collections.Counter({way: clicks.lost.total() for way, clicks in ways.items()})
        for clicks in ways.values():
            clicks.wait_for(100)
        return before == collections.Counter({way: clicks.lost.total() for way, clicks in ways.items()})
