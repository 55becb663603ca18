"""What Prometheus and Grafana get from the chart."""

import json
import re
import subprocess
import tempfile
import unittest

import yaml
from helm import CHART, MODES, container, mode, one, table, template

RULES = CHART / "files/rules.yaml"
DASHBOARD = CHART / "files/dashboard.json"


def expressions():
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"].replace("$__rate_interval", "5m") for target in panel.get("targets", []))


class Monitoring(unittest.TestCase):
    def test_prometheus_understands_the_expressions(self):
        rules = [{"record": f"checked:{index}", "expr": text} for index, text in enumerate(expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}, file)
            file.flush()
            for path in (RULES, file.name):
                run = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_every_metric_exists(self):
        metrics = {row[0] for row in table("## Metrics")}
        for text in expressions():
            bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", text)
            for name in re.findall(r"\b(?:http|open_chat|chathub|process)_\w+", bare):
                name = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertTrue(name in metrics or name.startswith("process_"), f"{name} in {text}")

    def test_the_files_arrive_as_they_are(self):
        objects = template(mode("everything-on"))
        self.assertEqual(one(objects, "PrometheusRule")["spec"], yaml.safe_load(RULES.read_text()))
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
