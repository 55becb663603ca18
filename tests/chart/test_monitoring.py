"""What Prometheus and Grafana get from the chart."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import yaml
from helm import CHART, MODES, container, mode, one, template, values_file

RULES = [CHART / "files" / name for name in ("rules.yaml", "rules-working-hours.yaml")]
DASHBOARD = CHART / "files/dashboard.json"


def fires(objects, up):
    """Whether a release's OpenChatDown fires, with these jobs and namespaces up or not."""
    series = [{"series": f'up{{job="{job}", namespace="{space}"}}', "values": f"{value}x10"} for (job, space), value in up.items()]
    silence = {"eval_time": "5m", "alertname": "OpenChatDown", "exp_alerts": []}
    test = {"interval": "1m", "input_series": series, "alert_rule_test": [silence]}
    with tempfile.TemporaryDirectory() as directory:
        rules, tests = (pathlib.Path(directory) / name for name in ("rules.yaml", "test.yaml"))
        rules.write_text(yaml.safe_dump(one(objects, "PrometheusRule")["spec"]))
        tests.write_text(yaml.safe_dump({"rule_files": [rules.name], "tests": [test]}))
        run = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 0 or "alertname: OpenChatDown" in said, said
    return run.returncode != 0


def understood(rules):
    """Whether Prometheus takes these."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(rules, file)
        file.flush()
        run = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    return run.returncode == 0


class Monitoring(unittest.TestCase):
    def test_prometheus_understands_the_rules(self):
        for path in RULES:
            run = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_files_arrive_as_they_are_but_for_the_release(self):
        objects = template(mode("everything-on"))
        # Which job Prometheus asks is the one thing that a release knows better.
        job = ('{job=~".*open-chat.*"}', '{job="buttons-open-chat-ops", namespace="default"}')
        groups = [group for path in RULES for group in yaml.safe_load(path.read_text().replace(*job))["groups"]]
        self.assertEqual(one(objects, "PrometheusRule")["spec"], {"groups": groups})
        dashboard = one(objects, "ConfigMap", "-dashboard")["data"]["open-chat.json"]
        self.assertEqual(json.loads(dashboard), json.loads(DASHBOARD.read_text()))

    def test_an_alert_and_a_panel_lead_to_the_runbook(self):
        home = yaml.safe_load((CHART / "Chart.yaml").read_text())["home"]
        for given, base in [({}, home), ({"runbookBaseUrl": "https://git.acme.example/chats/blob/main/"}, "https://git.acme.example/chats/blob/main")]:
            with values_file({"prometheusRule": given}) as file:
                objects = template(mode("everything-on"), file)
            alerts = [rule for group in one(objects, "PrometheusRule")["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
            self.assertGreater(len(alerts), 10)
            for alert in alerts:
                self.assertEqual(alert["annotations"]["runbook_url"], f"{base}/docs/runbook.md#{alert['alert'].lower()}")
                self.assertNotIn("runbook", alert["annotations"])
            dashboard = one(objects, "ConfigMap", "-dashboard")["data"]["open-chat.json"]
            links = [part.split(")")[0] for part in dashboard.split("](")[1:]]
            self.assertGreater(len(links), 10)
            for link in links:
                self.assertTrue(link.startswith(f"{base}/docs/runbook.md#"), link)
            self.assertEqual(home in dashboard, base == home)

    def test_the_thresholds_of_a_button_that_is_set_up_wrong_are_values(self):
        def alert(given):
            with values_file({"prometheusRule": {"setupErrors": given}}) as file:
                objects = template(mode("everything-on"), file)
            self.assertTrue(understood(one(objects, "PrometheusRule")["spec"]))
            groups = one(objects, "PrometheusRule")["spec"]["groups"]
            (found,) = [rule for group in groups for rule in group["rules"] if rule.get("alert") == "OpenChatSetupErrors"]
            return found["expr"], found["annotations"]["description"]

        expression, description = alert({})
        changed, told = alert({"window": "6h", "count": 20, "ratio": 0.5})
        for was, is_now, times in [("[1h]", "[6h]", 4), ("> 5\n", "> 20\n", 1), ("0.2 * (", "0.5 * (", 2)]:
            self.assertEqual((expression.count(was), changed.count(was)), (times, 0))
            expression = expression.replace(was, is_now)
        self.assertEqual(expression, changed)
        self.assertIn("clicks of the last 1h were", description)
        self.assertIn("clicks of the last 6h were", told)

    def test_the_alert_of_an_outage_is_about_this_release(self):
        for values in MODES:
            objects = template(values)
            if not [o for o in objects if o["kind"] == "PrometheusRule"]:
                continue
            # Prometheus' job is what the Service is called that a ServiceMonitor selects.
            job = one(objects, "Service", "-ops")["metadata"]["name"]
            for others in ("buttons-open-chat-ops", "chat-ops"):
                self.assertFalse(fires(objects, {(job, "default"): 1, (others, "elsewhere"): 0}), values.name)
                self.assertTrue(fires(objects, {(job, "default"): 0, (others, "elsewhere"): 1}), values.name)
                self.assertTrue(fires(objects, {(others, "elsewhere"): 1}), values.name)

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
