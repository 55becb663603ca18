"""A real Prometheus: it finds the pods, and the chart's alerts fire for a real cause and end."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import yaml
from clicks import Clicks
from cluster import CHATHUB_LOGIN, OUTAGE, OUTAGE_PORT, TOOLS
from kube import HELMS, Namespace, in_cluster, until

PORT = 9095
VALUES = {
    "access": "open",
    "replicas": 2,
    # Each click asks ChatHub.
    "config": {"TOKEN_REUSE": "0", "RATE_LIMIT_CLIENT": "1000/s", "RATE_LIMIT_OPERATOR": "1000/s"},
    "secrets": {"CHATHUB_LOGIN": "acme", "CHATHUB_PASSWORD": "canary-password"},
    "serviceMonitor": {"enabled": True, "interval": "5s"},
    "prometheusRule": {"enabled": True},
}


def as_the_operator_does(monitor, rules, folder):
    """Writes Prometheus' configuration, of what the chart has in these two."""
    (endpoint,) = monitor["spec"]["endpoints"]
    labels = monitor["spec"]["selector"]["matchLabels"]
    keep = [
        {"action": "keep", "source_labels": [f"__meta_kubernetes_service_label_{escaped(name)}"], "regex": value}
        for name, value in labels.items()
    ]
    keep.append({"action": "keep", "source_labels": ["__meta_kubernetes_endpoint_port_name"], "regex": endpoint["port"]})
    named = {"namespace": "namespace", "service": "service_name", "pod": "pod_name", "job": "service_name"}
    name = [{"source_labels": [f"__meta_kubernetes_{source}"], "target_label": label} for label, source in named.items()]
    discovery = {
        "role": "endpoints",
        "kubeconfig_file": os.environ["KUBECONFIG"],
        "namespaces": {"names": [monitor["metadata"]["namespace"]]},
    }
    job = {
        "job_name": f"serviceMonitor/{monitor['metadata']['name']}",
        "metrics_path": endpoint["path"],
        "scrape_interval": endpoint["interval"],
        "scrape_timeout": endpoint["interval"],
        "kubernetes_sd_configs": [discovery],
        "relabel_configs": keep + name,
    }
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rules["spec"]["groups"]}))
    settings = {"global": {"evaluation_interval": "5s"}, "rule_files": [str(folder / "rules.yaml")], "scrape_configs": [job]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))


def escaped(label):
    return "".join(c if c.isalnum() else "_" for c in label)


def ask(what, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/v1/{what}?{query}", timeout=60) as answer:
        return json.load(answer)["data"]


def firing():
    return {alert["labels"]["alertname"] for alert in ask("alerts")["alerts"] if alert["state"] == "firing"}


def targets():
    """Each pod, and how it is labelled and found."""
    found = ask("targets", state="active")["activeTargets"]
    return {(target["labels"]["pod"], target["labels"]["job"], target["health"]) for target in found}


class Prometheus(unittest.TestCase):
    def setUp(self):
        self.chathub = None
        self.start_chathub()
        self.addCleanup(self.stop_chathub)
        self.space = self.enterContext(Namespace("prometheus"))
        values = in_cluster(VALUES)
        values["config"] |= {"CHATHUB_URL": f"https://{OUTAGE}", "CHAT_PANEL_URL": f"https://{OUTAGE}"}
        self.space.install(HELMS[1], "buttons", values)
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        monitor, rules = (self.space.get(kind, "buttons-open-chat") for kind in ("servicemonitor", "prometheusrule"))
        as_the_operator_does(monitor, rules, folder)
        self.start("prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{PORT}")  # fmt: skip

    def start(self, program, *options):
        log = self.enterContext((pathlib.Path(os.environ["CLUSTER"]) / f"logs/{program}.log").open("w"))
        running = subprocess.Popen((program, *options), stdout=log, stderr=log)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        until(f"{program} is ready, as its log says, or not", lambda: running.poll() is not None or ask("status/buildinfo"))
        self.assertIsNone(running.poll(), pathlib.Path(log.name).read_text()[-2000:])

    def start_chathub(self):
        login, password, _ = CHATHUB_LOGIN
        command = (TOOLS / "image/open-chat", "simulate", f"--port={OUTAGE_PORT}", f"--login={login}", f"--password={password}")
        self.chathub = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_chathub(self):
        self.chathub.send_signal(signal.SIGKILL)
        self.chathub.wait()

    def pods(self):
        return {(pod["metadata"]["name"], "buttons-open-chat-ops", "up") for pod in self.space.pods("buttons")}

    def test_it_finds_the_pods_and_tells_of_an_outage(self):
        until("both pods are scraped", lambda: len(targets()) == 2 and targets() == self.pods())
        with Clicks(self.space.address("buttons-open-chat"), agents=2, pause=0.2) as clicks:
            until("clicks are counted", lambda: self.counted() > 20)
            self.assertEqual(firing(), set())
            self.assertEqual(dict(clicks.lost), {})

            self.stop_chathub()
            expected = {"OpenChatCircuitOpen", "OpenChatClicksFail"}
            until("alerts fire", lambda: firing() >= expected)
            self.assertEqual({kind for kind in clicks.lost if not kind.isdecimal()}, set())
            # The outage is ChatHub's: the pods stay in the Service.
            self.assertEqual(targets(), self.pods())

            self.start_chathub()
            until("no alert is left that wakes anyone for it", lambda: not firing() & expected, patience=1800)

        (first, _) = self.space.pods("buttons")
        self.space.kubectl("delete", "pod", first["metadata"]["name"], "--wait")
        until("the new pod is scraped, too", lambda: len(targets()) == 2 and targets() == self.pods())

    def counted(self):
        expression = f'sum(open_chat_redirects_total{{namespace="{self.space.name}", job="buttons-open-chat-ops"}})'
        result = ask("query", query=expression, time=time.time())["result"]
        return float(result[0]["value"][1]) if result else 0
