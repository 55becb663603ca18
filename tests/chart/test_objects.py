"""The objects that the chart makes of its values."""

import base64
import copy
import datetime
import json
import tempfile
import tomllib
import unittest

import yaml
from helm import CHART, HELMS, KUBERNETES, MODES, RELEASE, ROOT, container, helm, mode, one, template, values_file
from schemas import problems

PUBLIC = {"/", "/open-chat", "/links", "/widget", "/builder", "/openapi", "/openapi.json", "/oauth2"}
PUBLIC |= {"/pair", "/handler", "/manifest.webmanifest", "/icon-192.png", "/icon-512.png"}
CONNECT = "-connectors"
CONNECT_PATHS = {f"/connect/{name}" for name in ("bitrix24", "bitrix24/install", "kommo", "zendesk", "hubspot", "pipedrive")}
CONNECT_PATHS |= {f"/connect/{name}/{way}" for name in ("bitrix24", "zendesk", "pipedrive") for way in ("open", "ticket")}


def connect_paths():
    """The paths at which CRMs ask, as /openapi.json has them."""
    documented = set()
    for path, item in json.loads((ROOT / "src/http/handlers/openapi/openapi.json").read_text())["paths"].items():
        if path.startswith("/connect/"):
            parameters = [p for part in item.values() for p in part.get("parameters", []) if p.get("name") == "name"]
            names = {name for parameter in parameters for name in parameter["schema"]["enum"]} or {""}
            documented |= {path.replace("{name}", name) for name in names}
    return documented


def secrets(objects):
    """The texts of the Secrets, by name."""
    found = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "Secret"}
    return {name: {k: base64.b64decode(v).decode() for k, v in data.items()} for name, data in found.items()}


class Objects(unittest.TestCase):
    def test_helm_finds_nothing_to_object_to(self):
        for binary in HELMS:
            for values in MODES:
                with self.subTest(values=values.name, helm=binary.parts[-3]):
                    run = helm("lint", "--strict", CHART, "--values", values, binary=binary)
                    self.assertEqual(run.returncode, 0, run.stdout)

    def test_all_are_valid_in_every_kubernetes(self):
        kinds = set()
        for kubernetes in KUBERNETES:
            for values in MODES:
                with self.subTest(values=values.name, kubernetes=kubernetes):
                    for manifest in template(values, kubernetes=kubernetes):
                        self.assertEqual(problems(manifest, kubernetes), [])
                        kinds.add(manifest["kind"])
        # A kind that no mode switches on has not been checked.
        templates = "".join(path.read_text() for path in (CHART / "templates").rglob("*.yaml"))
        self.assertEqual(kinds, {line.split()[1] for line in templates.splitlines() if line.startswith("kind: ")})

    def test_an_unknown_field_or_kind_is_a_problem(self):
        objects = template(mode("everything-on"))
        for kind, path in {
            "Deployment": ["spec", "template", "spec", "containers", 0],
            "NetworkPolicy": ["spec", "egress", 0],
            "HTTPRoute": ["spec", "rules", 0, "matches", 0],
            "ServiceMonitor": ["spec", "endpoints", 0],
            "PrometheusRule": ["spec", "groups", 0, "rules", 0],
        }.items():
            manifest = copy.deepcopy(one(objects, kind, "open-chat"))
            self.assertEqual(problems(manifest, "1.33"), [])
            part = manifest
            for step in path:
                part = part[step]
            part["readinesProbe"] = {}
            self.assertIn("readinesProbe", str(problems(manifest, "1.33")))
        self.assertIn("not among the kinds", problems({"kind": "CronTab", "apiVersion": "v1"}, "1.33")[0])

    def test_both_helms_make_the_same(self):
        for values in MODES:
            self.assertEqual(*(template(values, binary=binary) for binary in HELMS))

    def test_selectors_never_change(self):
        """It cannot be changed: an upgrade would fail in every installation."""
        golden = yaml.safe_load((ROOT / "tests/chart/selector.yaml").read_text())
        for values in MODES:
            objects = template(values)
            if values == mode("pass"):
                self.assertNotEqual(one(objects, "Deployment")["metadata"]["name"], golden["deployment"])
            else:
                self.assertEqual(one(objects, "Deployment")["metadata"]["name"], golden["deployment"])
            deployment = one(objects, "Deployment")["spec"]
            self.assertEqual(deployment["selector"]["matchLabels"], golden["selector"])
            labels = deployment["template"]["metadata"]["labels"]
            self.assertLessEqual(golden["selector"].items(), labels.items())
            for manifest in objects:
                spec = manifest.get("spec", {})
                if manifest["kind"] == "Service":
                    self.assertEqual(spec["selector"], golden["selector"])
                elif manifest["kind"] == "PodDisruptionBudget":
                    self.assertEqual(spec["selector"]["matchLabels"], golden["selector"])
                elif manifest["kind"] == "NetworkPolicy":
                    self.assertEqual(spec["podSelector"]["matchLabels"], golden["selector"])
                elif manifest["kind"] == "Pod":
                    # Else clicks would be led to the pod of `helm test`.
                    self.assertFalse(golden["selector"].items() <= manifest["metadata"]["labels"].items())

    def test_a_pod_may_do_nothing(self):
        for values in MODES:
            for manifest in template(values):
                if manifest["kind"] not in ("Deployment", "Pod"):
                    continue
                pod = manifest["spec"] if manifest["kind"] == "Pod" else manifest["spec"]["template"]["spec"]
                self.assertIs(pod["automountServiceAccountToken"], False)
                self.assertLessEqual({"runAsNonRoot": True, "runAsUser": 65532}.items(), pod["securityContext"].items())
                self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                for part in pod["containers"] + pod.get("initContainers", []):
                    expected = {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    }
                    self.assertEqual(part["securityContext"], expected)
                    self.assertIn("memory", part["resources"]["limits"])

    def test_health_and_metrics_stay_inside(self):
        for values in MODES:
            objects = template(values)
            ports = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
            environment = {v["name"]: v.get("value") for v in container(objects)["env"]}
            self.assertEqual(environment["OPS_LISTEN"].rpartition(":")[2], str(ports["ops"]))
            self.assertEqual(environment.get("LISTEN", ":8080").rpartition(":")[2], str(ports["http"]))
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(container(objects)[probe]["httpGet"]["port"], "ops")
            ops = one(objects, "Service", "-ops")["spec"]
            self.assertEqual([ops["clusterIP"], *(port["targetPort"] for port in ops["ports"])], ["None", "ops"])

            clicks = next(o for o in objects if o["kind"] == "Service" and not o["metadata"]["name"].endswith("-ops"))
            target = "login" if values == mode("sso-sidecar") else "http"
            self.assertEqual([port["targetPort"] for port in clicks["spec"]["ports"]], [target])
            name, port = clicks["metadata"]["name"], clicks["spec"]["ports"][0]
            for manifest in objects:
                crms = manifest["metadata"]["name"].endswith(CONNECT)
                # With all below it, but for the root, below which everything is; and never for
                # CRMs, who do not log in.
                known = CONNECT_PATHS if crms else PUBLIC
                exact = known if crms else {"/"}
                if manifest["kind"] == "Ingress":
                    for rule in manifest["spec"]["rules"]:
                        for path in rule["http"]["paths"]:
                            self.assertIn(path["path"], known)
                            self.assertEqual(path["pathType"], "Exact" if path["path"] in exact else "Prefix")
                            self.assertEqual(path["backend"]["service"], {"name": name, "port": {"name": port["name"]}})
                elif manifest["kind"] == "HTTPRoute":
                    for rule in manifest["spec"]["rules"]:
                        for match in (match["path"] for match in rule["matches"]):
                            self.assertIn(match["value"], known)
                            self.assertEqual(match["type"], "Exact" if match["value"] in exact else "PathPrefix")
                        self.assertEqual(rule["backendRefs"], [{"name": name, "port": port["port"]}])

    def test_nobody_scrapes_who_is_not_named(self):
        def rules(given):
            with values_file({"networkPolicy": {"enabled": True, **given}}) as file:
                return one(template(mode("key"), file), "NetworkPolicy")["spec"]["ingress"]

        clicks, metrics = rules({})
        self.assertEqual(clicks, {"ports": [{"port": "http"}]})
        # The release's own namespace.
        self.assertEqual(metrics, {"ports": [{"port": "ops"}], "from": [{"podSelector": {}}]})
        elsewhere = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        _, metrics = rules({"metricsFrom": [elsewhere]})
        self.assertEqual(metrics, {"ports": [{"port": "ops"}], "from": [elsewhere]})
        # A rule without peers would be for anyone.
        self.assertEqual(rules({"metricsFrom": []}), [clicks])

    def test_a_trial_is_led_in_from_outside_where_its_access_is_chosen(self):
        outside = {"ingress": {"enabled": True, "hosts": ["chat.example.com"]}}
        for access in ("open", ["open"]):
            with values_file({"access": access, **outside}) as file:
                one(template(mode("simulator"), file), "Ingress")

    def test_what_is_mounted_is_there(self):
        for values in MODES:
            objects = template(values)
            pod = one(objects, "Deployment")["spec"]["template"]["spec"]
            volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
            mounts = {mount["mountPath"]: mount for mount in container(objects).get("volumeMounts", [])}
            self.assertEqual(sorted(mount["name"] for mount in mounts.values()), sorted(volumes))
            for mount in mounts.values():
                # Kubernetes never brings a change into one.
                self.assertNotIn("subPath", mount)
            given = yaml.safe_load(values.read_text())
            for variable in container(objects)["env"]:
                if not variable["name"].endswith("_FILE"):
                    continue
                directory, _, name = variable["value"].rpartition("/")
                volume = volumes[mounts[directory]["name"]]
                secret = volume.get("secret", {}).get("secretName")
                if secret in given.get("existingSecrets", {}):
                    self.assertIn(name, given["existingSecrets"][secret].values())
                elif secret == given.get("connectors", {}).get("existingSecret", ""):
                    self.assertEqual(variable["name"], "CONNECTORS_FILE")
                elif secret:
                    self.assertIn(name, secrets(objects)[secret])
                elif volume.get("configMap", {}).get("name", "").endswith("-operators"):
                    self.assertIn(name, one(objects, "ConfigMap", "-operators")["data"])

    def test_a_secret_holds_what_was_given(self):
        values = yaml.safe_load(mode("pass").read_text())
        self.assertEqual(secrets(template(mode("pass"))), {"chat": values["secrets"]})

    def test_a_pod_has_the_time_to_end(self):
        for values, seconds in {"open": 5 + 20 + 5, "redis": 0 + 60 + 5, "everything-on": 90}.items():
            pod = one(template(mode(values)), "Deployment")["spec"]["template"]["spec"]
            self.assertEqual(pod["terminationGracePeriodSeconds"], seconds)

    def test_pods_can_be_replaced_all_at_once(self):
        """Kubernetes refuses Recreate beside the fields of a rolling update, which are the chart's
        default."""
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        for given, rendered in [
            ({}, rolling),
            ({"rollingUpdate": {"maxSurge": 2}}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}),
            ({"type": "Recreate"}, {"type": "Recreate"}),
        ]:
            for binary in HELMS:
                with values_file({"strategy": given}) as file:
                    deployment = one(template(mode("open"), file, binary=binary), "Deployment")
                self.assertEqual(deployment["spec"]["strategy"], rendered)

    def test_a_further_object_knows_the_release(self):
        objects = template(mode("existing-secret"))
        names = {o["metadata"]["name"] for o in objects if o["kind"] == "ConfigMap"}
        self.assertEqual(names, {f"{RELEASE}-more", f"{RELEASE}-even-more"})

    def test_every_route_can_be_led_in_and_those_of_today_are(self):
        """But for health and metrics, which are on a port of their own."""
        paths = set(json.loads((ROOT / "src/http/handlers/openapi/openapi.json").read_text())["paths"]) | {"/"}
        # CRMs' are led in by themselves.
        paths = {path for path in paths if not path.startswith("/connect/")} - {"/healthz", "/readyz", "/metrics"}
        values = yaml.safe_load((CHART / "values.yaml").read_text())["publicPaths"]
        schema = json.loads((CHART / "values.schema.json").read_text())["properties"]["publicPaths"]["items"]["enum"]
        for path in paths:
            self.assertTrue([led for led in values if path == led or (led != "/" and path.startswith(f"{led}/"))], path)
        self.assertLessEqual(set(values), set(schema))
        self.assertEqual(set(schema), set(values) | {"/oauth2"})
        with values_file({"publicPaths": schema}) as file:
            objects = template(mode("everything-on"), file)
        route = one(objects, "HTTPRoute", "open-chat")
        self.assertEqual(problems(route, "1.33"), [])
        matches = [match for rule in route["spec"]["rules"] for match in rule["matches"]]
        self.assertEqual([match["path"]["value"] for match in matches], schema)

    def test_every_path_of_crms_is_led_in_by_itself_and_without_a_login(self):
        values = yaml.safe_load((CHART / "values.yaml").read_text())["connectors"]["publicPaths"]
        schema = json.loads((CHART / "values.schema.json").read_text())
        self.assertEqual(schema["properties"]["connectors"]["properties"]["publicPaths"]["items"]["enum"], values)
        self.assertEqual(set(values), CONNECT_PATHS)
        self.assertEqual(connect_paths(), CONNECT_PATHS)

        objects = template(mode("connectors"))
        ingress = one(objects, "Ingress", CONNECT)
        (rule,) = ingress["spec"]["rules"]
        self.assertEqual([(path["path"], path["pathType"]) for path in rule["http"]["paths"]], [(path, "Exact") for path in values])
        route = one(objects, "HTTPRoute", CONNECT)
        matches = [match["path"] for rule in route["spec"]["rules"] for match in rule["matches"]]
        self.assertEqual(matches, [{"type": "Exact", "value": path} for path in values])
        # Beside those of agents, under the same names; but no login's annotation, and nothing that
        # looks like a login's word.
        for kind, manifest in (("Ingress", ingress), ("HTTPRoute", route)):
            agents = one(objects, kind, "open-chat")
            self.assertNotIn("/connect", str(agents))
            for field in ("ingressClassName", "tls", "parentRefs", "hostnames"):
                self.assertEqual(manifest["spec"].get(field), agents["spec"].get(field))
        self.assertIn("auth-url", str(one(objects, "Ingress", "open-chat")["metadata"]))
        self.assertNotIn("auth-", str(ingress["metadata"]["annotations"]))
        for rule in route["spec"]["rules"]:
            removed = {"remove": ["Authorization", "X-Proxy-Secret", "X-Auth-Request-Email"]}
            self.assertEqual(rule["filters"], [{"type": "RequestHeaderModifier", "requestHeaderModifier": removed}])

        # Without connectors there is none.
        for values in MODES:
            there = "CONNECTORS_FILE" in str(container(template(values)))
            for manifest in template(values):
                self.assertFalse("/connect" in str(manifest.get("spec")) and not there, values.name)

    def test_connectors_and_their_files_are_mounted_together(self):
        def mounted(*values):
            objects = template(*values)
            pod = one(objects, "Deployment")["spec"]["template"]["spec"]
            (mount,) = [mount for mount in container(objects)["volumeMounts"] if mount["mountPath"] == "/etc/open-chat-connectors"]
            (volume,) = [volume for volume in pod["volumes"] if volume["name"] == mount["name"]]
            environment = {v["name"]: v.get("value") for v in container(objects)["env"]}
            self.assertEqual(environment["CONNECTORS_FILE"], "/etc/open-chat-connectors/connectors.toml")
            name = volume["secret"]["secretName"]
            return name, secrets(objects).get(name)

        given = yaml.safe_load(mode("connectors").read_text())["connectors"]
        expected = {"connectors.toml": given["toml"], **given["files"]}
        self.assertEqual(mounted(mode("connectors")), ("buttons-open-chat-connectors", expected))
        self.assertEqual(mounted(mode("existing-secret")), ("crm-connectors", None))
        # A change is brought into the pods that are there, so it must not make new ones.
        with values_file({"connectors": {"files": {"kommo": "canary-another-secret"}}}) as file:
            changed = template(mode("connectors"), file)
        self.assertEqual(one(changed, "Deployment"), one(template(mode("connectors")), "Deployment"))
        self.assertEqual(secrets(changed)["buttons-open-chat-connectors"]["kommo"], "canary-another-secret")

    def test_the_ended_pairings_are_a_file_that_the_service_reads(self):
        def file_and_list(*values):
            objects = template(*values)
            pod = one(objects, "Deployment")["spec"]["template"]["spec"]
            path = {v["name"]: v.get("value") for v in container(objects)["env"]}.get("DEVICES_REVOKED_FILE", "")
            names = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
            mounts = {mount["mountPath"]: names.get(mount["name"]) for mount in container(objects)["volumeMounts"]}
            lists = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
            name = mounts.get(path.rpartition("/")[0])
            return name, lists.get(name, {}).get(path.rpartition("/")[2])

        name, text = file_and_list(mode("device"))
        self.assertEqual(name, "buttons-open-chat-devices")
        expected = [
            {"device": "7f3a0c5be6f2921e07874fb3eecff645"},
            {"operator": 101, "before": datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)},
            {"key": "odoo", "operator": 102},
        ]
        self.assertEqual(tomllib.loads(text), {"revoked": expected})
        # Empty, it is there all the same: the first entry needs no restart.
        with values_file({"devices": {"revoked": []}}) as file:
            name, text = file_and_list(mode("device"), file)
        self.assertEqual((name, tomllib.loads(text)), ("buttons-open-chat-devices", {}))
        # Elsewhere: a ConfigMap that is there already, a Secret, a file that a driver brings.
        self.assertEqual(file_and_list(mode("everything-on")), ("ended-pairings", None))
        for given in [
            {"secrets": {"DEVICES_REVOKED_FILE": "# none"}},
            {"existingSecrets": {"pairing": {"DEVICES_REVOKED_FILE": "ended.toml"}}},
            {"config": {"DEVICES_REVOKED_FILE": "/mnt/vault/it"}},
            {"extraEnv": [{"name": "DEVICES_REVOKED_FILE", "value": "/mnt/vault/it"}]},
        ]:
            with self.subTest(given=given), values_file({"devices": {"revoked": []}, **given}) as file:
                objects = template(mode("device"), file)
                files = [v["value"] for v in container(objects)["env"] if v["name"] == "DEVICES_REVOKED_FILE"]
                self.assertEqual(len(files), 1)
                self.assertNotIn("/etc/open-chat-devices", files[0])
                self.assertNotIn("buttons-open-chat-devices", str(objects))
        # Without `device` there is nothing to end.
        self.assertEqual(file_and_list(mode("open")), (None, None))

    def test_what_pairs_a_browser_is_led_in(self):
        paths = [path["path"] for path in one(template(mode("device")), "Ingress")["spec"]["rules"][0]["http"]["paths"]]
        for path in ["/pair", "/handler", "/manifest.webmanifest", "/icon-192.png", "/icon-512.png"]:
            self.assertIn(path, paths)

    def test_a_login_in_the_pod_stands_before_the_service(self):
        objects = template(mode("sso-sidecar"))
        pod = one(objects, "Deployment")["spec"]["template"]["spec"]
        self.assertEqual([part["name"] for part in pod["containers"]], ["open-chat", "oauth2-proxy"])
        self.assertEqual([part["name"] for part in pod["initContainers"]], ["certificates"])
        environment = {v["name"]: v.get("value") for v in container(objects)["env"]}
        self.assertEqual(environment["LISTEN"], "127.0.0.1:8080")
        clicks = next(o for o in objects if o["kind"] == "Service" and not o["metadata"]["name"].endswith("-ops"))
        self.assertEqual(clicks["spec"]["ports"][0]["targetPort"], "login")
        ingress = one(objects, "NetworkPolicy")["spec"]["ingress"]
        self.assertEqual(ingress[0], {"ports": [{"port": "login"}]})
        with values_file({"service": {"targetPort": 4180}}) as file:
            objects = template(mode("sso-sidecar"), file)
        self.assertEqual(one(objects, "NetworkPolicy")["spec"]["ingress"][0], {"ports": [{"port": 4180}]})

    def test_why_a_pod_has_ended_is_to_be_seen(self):
        """In `kubectl describe`, and by `helm test --logs`, for which the test's pod must still be
        there."""
        for values in MODES:
            for manifest in template(values):
                if manifest["kind"] == "Pod":
                    self.assertEqual(manifest["metadata"]["annotations"]["helm.sh/hook-delete-policy"], "before-hook-creation")
                    parts = manifest["spec"]["containers"]
                elif manifest["kind"] == "Deployment":
                    parts = [part for part in manifest["spec"]["template"]["spec"]["containers"] if part["name"] != "oauth2-proxy"]
                else:
                    continue
                for part in parts:
                    self.assertEqual(part["terminationMessagePolicy"], "FallbackToLogsOnError")

    def test_the_documented_values_are_values(self):
        """Whole ones by themselves, parts of some on top of a mode; what they make is valid."""
        document = (ROOT / "docs/kubernetes.md").read_text()
        blocks = [block.split("```")[0] for block in document.split("```yaml\n")[1:]]
        made = []
        for block in blocks:
            modes = [] if "access:" in block else [mode("redis")]
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(block)
                file.flush()
                objects = template(*modes, file.name)
            for manifest in objects:
                self.assertEqual(problems(manifest, "1.33"), [], block)
            made.append(objects)
        install, ingress, sidecar, paired, crms, outside, ipv6, openshift = made
        self.assertEqual(len(one(install, "Ingress")["spec"]["tls"]), 1)

        annotations = one(ingress, "Ingress")["metadata"]["annotations"]
        header = {v["name"]: v.get("value") for v in container(ingress)["env"]}["SSO_HEADER"]
        self.assertEqual(annotations["nginx.ingress.kubernetes.io/auth-response-headers"], header)
        self.assertIn("proxy_set_header X-Proxy-Secret", annotations["nginx.ingress.kubernetes.io/configuration-snippet"])

        self.assertNotIn("auth-", str(one(crms, "Ingress", CONNECT)["metadata"]["annotations"]))
        self.assertEqual(secrets(crms)["buttons-open-chat-connectors"].keys(), {"connectors.toml", "kommo"})

        service, login = one(sidecar, "Deployment")["spec"]["template"]["spec"]["containers"]
        environment = {v["name"]: v.get("value") for v in service["env"]}
        # What oauth2-proxy sets itself in each request. It lets a client's X-Auth-Request-Email
        # through.
        self.assertEqual(environment["SSO_HEADER"], "X-Forwarded-Email")
        self.assertEqual((environment["LISTEN"], environment["TRUSTED_PROXIES"]), ("127.0.0.1:8080", "127.0.0.1"))
        self.assertIn("--upstream=http://127.0.0.1:8080", login["args"])
        clicks = next(o for o in sidecar if o["kind"] == "Service" and not o["metadata"]["name"].endswith("-ops"))
        self.assertEqual(clicks["spec"]["ports"][0]["targetPort"], login["ports"][0]["name"])
        paths = [path["path"] for path in one(sidecar, "Ingress")["spec"]["rules"][0]["http"]["paths"]]
        self.assertEqual(paths, ["/open-chat", "/builder", "/oauth2"])

        self.assertEqual({v["name"]: v.get("value") for v in container(paired)["env"]}["ACCESS"], "device")
        self.assertIn("operator = 101", one(paired, "ConfigMap", "-devices")["data"]["devices-revoked.toml"])

        (clicks,) = [o["spec"] for o in outside if o["kind"] == "Service" and o["spec"].get("type") == "LoadBalancer"]
        self.assertEqual(clicks["externalTrafficPolicy"], "Local")

        environment = {v["name"]: v.get("value") for v in container(ipv6)["env"]}
        self.assertEqual((environment["LISTEN"], environment["OPS_LISTEN"]), ("[::]:8080", "[::]:9090"))
        dns = {"ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}]}
        self.assertIn(dns, one(openshift, "NetworkPolicy")["spec"]["egress"])

    def test_a_shipped_ingress_with_a_login_names_the_agent_and_itself(self):
        annotations = one(template(mode("sso")), "Ingress")["metadata"]["annotations"]
        self.assertEqual(annotations["nginx.ingress.kubernetes.io/auth-response-headers"], "X-Auth-Request-Email")
        self.assertIn("proxy_set_header X-Proxy-Secret", annotations["nginx.ingress.kubernetes.io/configuration-snippet"])

    def test_the_simulator_needs_no_other_machine(self):
        objects = template(mode("simulator"))
        deployment = one(objects, "Deployment")["spec"]
        self.assertEqual(deployment["replicas"], 1)
        service, simulator = deployment["template"]["spec"]["containers"]
        self.assertEqual(simulator["args"], ["simulate", "--port=9000"])
        self.assertEqual(simulator["image"], service["image"])


if __name__ == "__main__":
    unittest.main()
