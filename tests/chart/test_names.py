"""Names that Kubernetes takes, whatever the release, the chart or an umbrella is called."""

import pathlib
import re
import shutil
import tempfile
import unittest

import yaml
from helm import CHART, HELMS, RELEASE, helm, mode, one, values_file

VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
# RFC 1035's label, which a Service's name must be; and a label's value.
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")


def objects(run):
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def labels(manifest):
    yield from manifest["metadata"].get("labels", {}).values()
    spec = manifest.get("spec", {})
    yield from spec.get("selector", {}).get("matchLabels", {}).values()
    if manifest.get("kind") == "Deployment":
        yield from labels(spec["template"])


class Names(unittest.TestCase):
    def check(self, manifests):
        for manifest in manifests:
            name = manifest["metadata"]["name"]
            self.assertTrue(NAME.fullmatch(name), name)
            if manifest["kind"] == "Deployment":
                self.assertIsInstance(manifest["spec"]["template"]["spec"]["serviceAccountName"], str)
            for value in labels(manifest):
                self.assertTrue(VALUE.fullmatch(value), value)

    def test_a_release_may_have_any_name_that_helm_takes(self):
        for binary in HELMS:
            for release, name in {
                "1st": "open-chat-1st-open-chat",
                "my.release": "my-release-open-chat",
                "9.open-chat": "open-chat-9-open-chat",
                "a" * 53: "a" * 50,
                "a" * 49 + ".b.c": "a" * 49,
                # Which YAML would read as numbers and more.
                "0": "open-chat-0-open-chat",
                "1e5": "open-chat-1e5-open-chat",
                "true": "true-open-chat",
                "null": "null-open-chat",
                "buttons": "buttons-open-chat",
                "open-chat": "open-chat",
            }.items():
                with self.subTest(release=release):
                    run = helm("template", release, CHART, "--values", mode("everything-on"), binary=binary)
                    manifests = objects(run)
                    self.check(manifests)
                    self.assertEqual(one(manifests, "Deployment")["metadata"]["name"], name)

    def test_an_override_is_a_name_or_is_refused(self):
        for binary in HELMS:
            for override in ["b" * 63, "b" * 58, "b" * 57 + "-b", "1b", "b"]:
                with self.subTest(nameOverride=override), values_file({"nameOverride": override}) as file:
                    run = helm("template", RELEASE, CHART, "--values", mode("everything-on"), "--values", file, binary=binary)
                    self.check(objects(run))
        for value, overrides in {
            "nameOverride": ["b" * 64, "Open_Chat", "open.chat", "-b", "b-", "b c"],
            "fullnameOverride": ["b" * 64, "Open_Chat", "1b", "a.b", "-b", "b-"],
        }.items():
            for override in overrides:
                with self.subTest(override=override), values_file({value: override}) as file:
                    run = helm("template", RELEASE, CHART, "--values", mode("open"), "--values", file)
                    self.assertNotEqual(run.returncode, 0)
                    self.assertIn(value, run.stderr)
        for override in ["b" * 63, "on", "null"]:
            with values_file({"fullnameOverride": override, "serviceAccount": {"name": ""}}) as file:
                self.check(objects(helm("template", RELEASE, CHART, "--values", mode("everything-on"), "--values", file)))

    def test_a_label_that_kubernetes_would_refuse_is_refused(self):
        for labels in [{"team": "c" * 64}, {"team": "c m"}]:
            for values in [{"podLabels": labels}, {"serviceMonitor": {"labels": labels}}, {"nodeSelector": labels}]:
                with self.subTest(values=values), values_file(values) as file:
                    run = helm("template", RELEASE, CHART, "--values", mode("open"), "--values", file)
                    self.assertIn("team", run.stderr)

    def test_an_umbrella_chart_switches_it_on_and_off(self):
        with tempfile.TemporaryDirectory() as directory:
            parent = pathlib.Path(directory)
            dependencies = [
                {"name": "open-chat", "version": "*", "condition": "open-chat.enabled"},
                {"name": "open-chat", "version": "*", "condition": "Second_1.enabled", "alias": "Second_1"},
            ]
            chart = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": dependencies}
            (parent / "Chart.yaml").write_text(yaml.safe_dump(chart))
            shutil.copytree(CHART, parent / "charts/open-chat")
            given = yaml.safe_load(mode("pass").read_text())
            del given["fullnameOverride"]
            for binary in HELMS:
                for first, second, names in [
                    (True, False, ["buttons-open-chat"]),
                    (False, True, ["buttons-second-1"]),
                    (True, True, ["buttons-open-chat", "buttons-second-1"]),
                    (False, False, []),
                ]:
                    values = {
                        "open-chat": {**given, "enabled": first},
                        "Second_1": {**given, "enabled": second, "config": {**given["config"], "PASS_MAX_TTL": None}},
                        "global": {"imageRegistry": "registry.example.com"},
                    }
                    with values_file(values) as file:
                        manifests = objects(helm("template", RELEASE, parent, "--values", file, binary=binary))
                    self.check(manifests)
                    deployments = [m["metadata"]["name"] for m in manifests if m["kind"] == "Deployment"]
                    self.assertEqual(sorted(deployments), names)
                    images = {part["image"] for m in manifests if m["kind"] == "Deployment" for part in m["spec"]["template"]["spec"]["containers"]}
                    images |= {part["image"] for m in manifests if m["kind"] == "Pod" for part in m["spec"]["containers"]}
                    ours = {"registry.example.com/open-chat:" + VERSION, "registry.example.com/curlimages/curl:8.11.1"}
                    self.assertEqual(images, ours if names else set())
        run = helm("template", RELEASE, CHART, "--values", mode("open"), "--set", "enabled=yes")
        self.assertIn("enabled", run.stderr)
