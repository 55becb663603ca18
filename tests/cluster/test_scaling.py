"""The HorizontalPodAutoscaler, which follows the load both ways."""

import unittest

from clicks import Clicks
from kube import HELMS, Namespace, in_cluster, until

VALUES = {
    "access": "open",
    "config": {"RATE_LIMIT_CLIENT": "100000/s", "RATE_LIMIT_OPERATOR": "100000/s"},
    "secrets": {"CHATHUB_LOGIN": "acme", "CHATHUB_PASSWORD": "canary-password"},
    "autoscaling": {
        "enabled": True,
        "minReplicas": 1,
        "maxReplicas": 3,
        # Some hundred clicks a second are more, and the probes are less.
        "targetCPUUtilizationPercentage": 100,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    },
    "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
}


class Scaling(unittest.TestCase):
    def test_out_under_load_and_in_again(self):
        with Namespace("scaling") as space:
            space.install(HELMS[1], "buttons", in_cluster(VALUES))
            until("what it uses is known", lambda: self.utilization(space) is not None)
            self.assertEqual(self.ready(space), 1)
            with Clicks(space.address("buttons-open-chat"), agents=12, pause=0.01) as busy:
                until("there are more", lambda: self.ready(space) == 3)
            self.assertEqual(dict(busy.lost), {})
            # A few go on, and lose nothing when the pods that are not needed go.
            with Clicks(space.address("buttons-open-chat"), agents=2, pause=1) as few:
                until("there is one again", lambda: self.ready(space) == 1 and len(space.pods("buttons")) == 1)
            self.assertEqual(dict(few.lost), {})
            print(f"scaled to 3 under {busy.opened} clicks, the slowest in {busy.slowest:.2f} s, and back")

    @staticmethod
    def ready(space):
        return space.get("deployment", "buttons-open-chat")["status"].get("readyReplicas", 0)

    @staticmethod
    def utilization(space):
        metrics = space.get("hpa", "buttons-open-chat")["status"].get("currentMetrics") or []
        return metrics[0]["resource"]["current"].get("averageUtilization") if metrics and "resource" in metrics[0] else None
