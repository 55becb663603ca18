"""Who may come in and where the pods may go: the chart's NetworkPolicy, and the same without it."""

import subprocess
import unittest

from cluster import ADDRESS, CHATHUB
from kube import HELMS, Namespace, in_cluster, until

AGENT, PROMETHEUS = ({"role": role} for role in ("agent", "prometheus"))
# In the chart's eyes one of its own, so that a shell can try where these may go.
OURS = {"app.kubernetes.io/name": "open-chat", "app.kubernetes.io/instance": "buttons"}
HELD = {
    "agent to click": True,
    "agent to ops": False,
    "prometheus to click": False,
    "prometheus to ops": True,
    "stranger to click": False,
    "stranger to ops": False,
    "ours to ChatHub": True,
    "ours to DNS": True,
    "ours to Redis": True,
    "ours to another port": False,
    "ours to another Redis": False,
}


def values(enabled):
    return in_cluster(
        {
            "access": "open",
            "secrets": {
                "CHATHUB_LOGIN": "acme",
                "CHATHUB_PASSWORD": "canary-password",
                "REDIS_URL": "redis://:canary-redis@valkey:6379/0",
            },
            "replicas": 1,
            "networkPolicy": {
                "enabled": enabled,
                "clicksFrom": [{"podSelector": {"matchLabels": AGENT}}],
                "metricsFrom": [{"podSelector": {"matchLabels": PROMETHEUS}}],
                "redisTo": [{"podSelector": {"matchLabels": {"app": "valkey"}}}],
            },
        }
    )


def redis_pod(name, labels, port):
    """A pod with a shell, that listens."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "redis",
                    "image": "localhost/tools:1",
                    "imagePullPolicy": "Never",
                    "command": ["redis-server", "--port", str(port), "--bind", "*", "--protected-mode", "no", "--save", ""],
                    "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "capabilities": {"drop": ["ALL"]},
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        },
    }


class Policies(unittest.TestCase):
    def test_both_ways(self):
        with Namespace("policies") as space:
            space.apply_around()
            pods = {"agent": AGENT, "prometheus": PROMETHEUS, "stranger": {"role": "stranger"}, "ours": OURS}
            for name, labels in pods.items():
                space.apply(redis_pod(name, labels, 6379))
            space.apply(redis_pod("other-port", {"app": "valkey"}, 6380))
            space.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=600s")

            space.install(HELMS[1], "buttons", values(enabled=True))
            until(f"it is held: {HELD}", lambda: self.reached(space) == HELD)
            space.install(HELMS[1], "buttons", values(enabled=False))
            everything = dict.fromkeys(HELD, True)
            until("without the policy all of it is open", lambda: self.reached(space) == everything)

    def reached(self, space):
        (pod,) = [pod for pod in space.pods("buttons") if pod["metadata"]["name"] != "ours"]
        service = pod["status"]["podIP"]
        ip = {name: space.get("pod", name)["status"]["podIP"] for name in ("valkey", "other-port", "stranger")}
        places = {
            "click": (service, 8080),
            "ops": (service, 9090),
            "ChatHub": (CHATHUB, 443),
            "DNS": (ADDRESS, 53),
            "Redis": (ip["valkey"], 6379),
            "another port": (ip["other-port"], 6380),
            "another Redis": (ip["stranger"], 6379),
        }
        return {what: self.reaches(space, what.split(" to ")[0], *places[what.split(" to ")[1]]) for what in HELD}

    @staticmethod
    def reaches(space, pod, host, port):
        """By a connection only: what is said over it is not the policy's affair."""
        connect = ("timeout", "10", "bash", "-c", f": </dev/tcp/{host}/{port}")
        command = ("kubectl", f"--namespace={space.name}", "exec", pod, "--", *connect)
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
