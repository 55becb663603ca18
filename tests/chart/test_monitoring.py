"""What Prometheus and Grafana get from the chart."""

import json
import subprocess
import unittest

import yaml
from helm import CHART, MODES, container, mode, one, template

RULES = [CHART / "files" / name for name in ("rules.yaml", "rules-working-hours.yaml")]
DASHBOARD = CHART / "files/dashboard.json"


class Monitoring(unittest.TestCase):
    def test_prometheus_understands_the_rules(self):
        for path in RULES:
            run = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_files_arrive_as_they_are(self):
        objects = template(mode("everything-on"))
        groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
        self.assertEqual(one(objects, "PrometheusRule")["spec"], {"groups": groups})
        dashboard = one(objects, "ConfigMap", "-dashboard")["data"]["open-chat.json"]
        self.assertEqual(json.loads(dashboard), json.loads(DASHBOARD.read_text()))

    def test_a_scrape_asks_the_ops_port_for_metrics(self):
        annotated = 0
        for values in MODES:
            objects = template(values)
            ports = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
            annotations = one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]
            if "prometheus.io/scrape" in annotations:
                annotated += 1
                self.assertEqual(annotations["prometheus.io/port"], str(ports["ops"]))
                self.assertEqual(annotations["prometheus.io/path"], "/metrics")
        self.assertEqual(annotated, 1)

        objects = template(mode("everything-on"))
        monitor, service = one(objects, "ServiceMonitor")["spec"], one(objects, "Service", "-ops")
        (endpoint,), (port,) = monitor["endpoints"], service["spec"]["ports"]
        self.assertEqual((endpoint["port"], endpoint["path"], port["targetPort"]), (port["name"], "/metrics", "ops"))
        selected = [
            o["metadata"]["name"]
            for o in objects
            if o["kind"] == "Service" and monitor["selector"]["matchLabels"].items() <= o["metadata"]["labels"].items()
        ]
        self.assertEqual(selected, [service["metadata"]["name"]])
