"""Upgrades and their opposite, while agents click."""

import unittest

import yaml
from clicks import Clicks
from kube import CHART, CLICK, FIRST, HELMS, Namespace, chart_at, curl, in_cluster, mode, until


def values(**more):
    """Two pods that anyone in the cluster may click at."""
    given = yaml.safe_load(mode("open").read_text())
    # All clicks come from one address, and are for one operator.
    given["config"] |= {"RATE_LIMIT_CLIENT": "100000/m", "RATE_LIMIT_OPERATOR": "100000/m"}
    return in_cluster(given | {"replicas": 2, "ingress": {"enabled": False}} | more)


class Upgrades(unittest.TestCase):
    def test_from_the_first_chart_without_a_lost_click(self):
        for binary in HELMS:
            with self.subTest(helm=binary.parts[-3]), Namespace() as space, chart_at(FIRST) as first:
                space.install(binary, "buttons", values(), first)
                before = {pod["metadata"]["uid"] for pod in space.pods("buttons")}
                with Clicks(space.address("buttons-open-chat")) as clicks:
                    clicks.wait_for(200)
                    space.install(binary, "buttons", values())
                    clicks.wait_for(200)
                self.assertEqual(clicks.lost, {})
                after = {pod["metadata"]["uid"] for pod in space.pods("buttons")}
                self.assertEqual((len(before), len(after), before & after), (2, 2, set()))
                print(f"{clicks.opened} clicks while the chart was upgraded, the slowest in {clicks.slowest:.2f} s")

    def test_a_bad_setting_leaves_the_old_pods_and_says_why(self):
        bad = values(secrets={"CHATHUB_LOGIN": "acme", "CHATHUB_PASSWORD": "canary-password", "API_KEYS_FILE": "no table"})
        for binary in HELMS:
            with self.subTest(helm=binary.parts[-3]), Namespace() as space:
                space.install(binary, "buttons", values())
                before = {pod["metadata"]["uid"] for pod in space.pods("buttons")}
                with Clicks(space.address("buttons-open-chat")) as clicks:
                    refused = space.helm(binary, "upgrade", "buttons", CHART, "--wait", "--timeout=30s", values=bad, check=False)
                    self.assertNotEqual(refused.returncode, 0)
                    (message,) = until("a pod has ended", lambda: space.ends_of("buttons"))
                    self.assertIn("API_KEYS_FILE", message)
                    self.assertIn(message.splitlines()[0], space.kubectl("describe", "pods"))
                    # The old ones have not gone.
                    self.assertLessEqual(before, {pod["metadata"]["uid"] for pod in space.pods("buttons")})
                    space.helm(binary, "rollback", "buttons", "--wait", "--timeout=600s")
                    clicks.wait_for(200)
                self.assertEqual(clicks.lost, {})
                until("the bad pod has gone", lambda: len(space.pods("buttons")) == 2)
                link = curl(f"{space.address('buttons-open-chat')}/open-chat?{CLICK}")
                self.assertTrue(link.startswith("302 https://chathub.example.com/?"), link)
