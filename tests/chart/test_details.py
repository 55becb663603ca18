"""What the values for details of the objects make of them."""

import unittest

from helm import HELMS, MODES, container, helm, mode, notes, one, template, values_file
from schemas import problems


def pod(objects):
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def clicks(objects):
    """The service for clicks."""
    return one(objects, "Service", "open-chat")


def rendered(name, values, **options):
    """A mode's objects with these values on top, which are valid."""
    with values_file(values) as file:
        objects = template(mode(name), file, **options)
    for manifest in objects:
        assert problems(manifest, options.get("kubernetes", "1.33")) == [], manifest
    return objects


class Details(unittest.TestCase):
    def test_by_default_a_pod_is_asked_as_before(self):
        service = container(template(mode("open")))
        ops = {"port": "ops"}
        self.assertEqual(
            service["startupProbe"],
            {"httpGet": {"path": "/healthz", **ops}, "initialDelaySeconds": 0, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 30},
        )
        self.assertEqual(
            service["livenessProbe"],
            {"httpGet": {"path": "/healthz", **ops}, "initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3},
        )
        readiness = {"initialDelaySeconds": 0, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 2, "successThreshold": 1}
        self.assertEqual(service["readinessProbe"], {"httpGet": {"path": "/readyz", **ops}, **readiness})
        for field in ("lifecycle", "envFrom", "resizePolicy"):
            self.assertNotIn(field, service)

    def test_the_pod_s_details(self):
        objects = template(mode("everything-on"))
        service = container(objects)
        self.assertEqual(service["startupProbe"]["failureThreshold"], 60)
        self.assertEqual(service["livenessProbe"]["periodSeconds"], 15)
        self.assertEqual(service["readinessProbe"]["successThreshold"], 2)
        self.assertEqual(service["readinessProbe"]["timeoutSeconds"], 2)
        self.assertEqual(service["lifecycle"], {"preStop": {"exec": {"command": ["/open-chat", "health"]}}})
        self.assertEqual(service["resizePolicy"], [{"resourceName": "cpu", "restartPolicy": "NotRequired"}])
        self.assertEqual(service["envFrom"], [{"prefix": "MORE_", "configMapRef": {"name": "more", "optional": True}}])
        self.assertEqual(pod(objects)["hostAliases"], [{"ip": "192.0.2.10", "hostnames": ["proxy.example.com"]}])
        deployment = one(objects, "Deployment")
        self.assertEqual(deployment["spec"]["revisionHistoryLimit"], 3)
        self.assertEqual(deployment["metadata"]["annotations"], {"example.com/note": "deployment"})
        self.assertEqual(one(template(mode("open")), "Deployment")["spec"]["revisionHistoryLimit"], 10)
        self.assertEqual(one(rendered("open", {"revisionHistoryLimit": 0}), "Deployment")["spec"]["revisionHistoryLimit"], 0)
        self.assertNotIn("revisionHistoryLimit", one(rendered("open", {"revisionHistoryLimit": None}), "Deployment")["spec"])

    def test_a_probe_s_time_can_be_left_to_kubernetes(self):
        service = container(rendered("open", {"livenessProbe": {"initialDelaySeconds": None, "timeoutSeconds": None}}))
        expected = {"httpGet": {"path": "/healthz", "port": "ops"}, "periodSeconds": 10, "failureThreshold": 3}
        self.assertEqual(service["livenessProbe"], expected)

    def test_a_pod_has_the_time_to_sleep_first(self):
        objects = rendered("open", {"lifecycle": {"preStop": {"sleep": {"seconds": 7}}}})
        self.assertEqual(pod(objects)["terminationGracePeriodSeconds"], 7 + 5 + 20 + 5)

    def test_an_annotation_of_the_user_s_stands_in_the_place_of_the_chart_s(self):
        given = {"podAnnotations": {"kubectl.kubernetes.io/default-container": "oauth2-proxy", "a": "b"}}
        annotations = one(rendered("sso-sidecar", given), "Deployment")["spec"]["template"]["metadata"]["annotations"]
        self.assertEqual(annotations, {"kubectl.kubernetes.io/default-container": "oauth2-proxy", "a": "b"})

    def test_labels_of_all_objects_are_in_no_selector(self):
        objects = template(mode("everything-on"))
        for manifest in objects:
            self.assertEqual(manifest["metadata"]["labels"]["cost-center"], "sales", manifest["kind"])
        deployment = one(objects, "Deployment")
        self.assertEqual(deployment["spec"]["template"]["metadata"]["labels"]["cost-center"], "sales")
        self.assertNotIn("cost-center", str(deployment["spec"]["selector"]))
        self.assertNotIn("cost-center", str(clicks(objects)["spec"]))

    def test_labels_of_one_object_are_its_own(self):
        objects = template(mode("everything-on"))
        self.assertEqual(clicks(objects)["metadata"]["labels"]["team"], "clicks")
        self.assertNotIn("team", one(objects, "Service", "-ops")["metadata"]["labels"])
        self.assertEqual(one(objects, "Deployment")["metadata"]["labels"]["team"], "crm")
        # The controller that takes one takes the other.
        for kind in ("Ingress", "HTTPRoute"):
            for ending in ("open-chat", "-connectors"):
                self.assertEqual(one(objects, kind, ending)["metadata"]["labels"]["router"], "public")

    def test_of_two_labels_of_a_name_the_nearer_stands(self):
        given = {"commonLabels": {"team": "all", "app.kubernetes.io/component": "web"}, "podLabels": {"team": "pod"}}
        objects = rendered("open", given)
        template_ = one(objects, "Deployment")["spec"]["template"]
        self.assertEqual(template_["metadata"]["labels"]["team"], "pod")
        self.assertEqual(one(objects, "Deployment")["metadata"]["labels"]["team"], "all")
        self.assertEqual(clicks(objects)["metadata"]["labels"]["app.kubernetes.io/component"], "web")
        # A ServiceMonitor selects by it.
        self.assertEqual(one(objects, "Service", "-ops")["metadata"]["labels"]["app.kubernetes.io/component"], "ops")

    def test_all_objects_are_made_in_one_namespace(self):
        for values in MODES:
            for manifest in template(values):
                # Those of extraObjects say it themselves.
                if manifest["metadata"]["name"] not in ("buttons-more", "buttons-even-more"):
                    self.assertEqual(manifest["metadata"]["namespace"], "default", manifest["kind"])
        for manifest in rendered("everything-on", {"namespaceOverride": "chats"}):
            self.assertEqual(manifest["metadata"]["namespace"], "chats", manifest["kind"])
        with values_file({"namespaceOverride": "chats"}) as file:
            self.assertNotIn("--namespace default", notes(mode("device"), file))
        alerts = one(rendered("everything-on", {"namespaceOverride": "chats"}), "PrometheusRule")
        self.assertIn('namespace="chats"', str(alerts))
        self.assertNotIn('namespace="default"', str(alerts))

    def test_what_is_monitored_can_be_told_elsewhere(self):
        elsewhere = {name: {"enabled": True, "namespace": "monitoring"} for name in ("serviceMonitor", "prometheusRule", "dashboard")}
        objects = rendered("open", elsewhere)
        monitor = one(objects, "ServiceMonitor")
        self.assertEqual(monitor["metadata"]["namespace"], "monitoring")
        self.assertEqual(monitor["spec"]["namespaceSelector"], {"matchNames": ["default"]})
        self.assertEqual(one(objects, "PrometheusRule")["metadata"]["namespace"], "monitoring")
        self.assertIn('namespace="default"', str(one(objects, "PrometheusRule")))
        self.assertEqual(one(objects, "ConfigMap", "-dashboard")["metadata"]["namespace"], "monitoring")
        self.assertNotIn("namespaceSelector", one(template(mode("everything-on")), "ServiceMonitor")["spec"])

    def test_a_scrape_s_details(self):
        monitor = one(template(mode("everything-on")), "ServiceMonitor")
        self.assertEqual(monitor["metadata"]["annotations"], {"example.com/note": "scrape"})
        (endpoint,) = monitor["spec"]["endpoints"]
        self.assertEqual((endpoint["interval"], endpoint["scrapeTimeout"]), ("15s", "10s"))
        self.assertEqual(endpoint["relabelings"], [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}])
        drop = {"action": "drop", "sourceLabels": ["__name__"], "regex": "process_start_time_seconds"}
        self.assertEqual(endpoint["metricRelabelings"], [drop])
        self.assertEqual(one(template(mode("everything-on")), "PrometheusRule")["metadata"]["annotations"], {"example.com/note": "alerts"})

    def test_the_autoscaler_s_details(self):
        scaler = one(template(mode("everything-on")), "HorizontalPodAutoscaler")
        self.assertEqual(scaler["metadata"]["annotations"], {"example.com/note": "scaled"})
        targets = {metric["resource"]["name"]: metric["resource"]["target"] for metric in scaler["spec"]["metrics"]}
        percent = {"type": "Utilization"}
        self.assertEqual(targets, {"cpu": {**percent, "averageUtilization": 60}, "memory": {**percent, "averageUtilization": 90}})
        self.assertEqual(scaler["spec"]["behavior"], {"scaleDown": {"stabilizationWindowSeconds": 60}})
        plain = one(template(mode("pass")), "HorizontalPodAutoscaler")["spec"]
        self.assertEqual([metric["resource"]["name"] for metric in plain["metrics"]], ["cpu"])
        self.assertNotIn("behavior", plain)

    def test_how_many_pods_stay_when_nodes_are_emptied(self):
        def budget(given):
            spec = one(rendered("redis", {"podDisruptionBudget": given}), "PodDisruptionBudget")["spec"]
            return {name: spec.get(name) for name in ("maxUnavailable", "minAvailable", "unhealthyPodEvictionPolicy")}

        always = "AlwaysAllow"
        for given, expected in [
            ({}, (1, None, always)),
            ({"maxUnavailable": "50%"}, ("50%", None, always)),
            ({"minAvailable": 2}, (None, 2, always)),
            ({"minAvailable": "50%", "unhealthyPodEvictionPolicy": ""}, (None, "50%", None)),
            ({"maxUnavailable": None}, (1, None, always)),
        ]:
            self.assertEqual(tuple(budget(given).values()), expected)

    def test_the_service_s_details(self):
        spec = clicks(template(mode("key")))["spec"]
        self.assertEqual((spec["type"], spec["externalTrafficPolicy"]), ("LoadBalancer", "Local"))
        self.assertEqual(spec["ports"], [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080, "appProtocol": "http"}])
        self.assertEqual(spec["loadBalancerSourceRanges"], ["10.0.0.0/8"])
        given = {"loadBalancerIP": "192.0.2.7", "loadBalancerClass": "example.com/internal", "clusterIP": "10.0.0.7"}
        spec = clicks(rendered("key", {"service": given}))["spec"]
        self.assertLessEqual(given.items(), spec.items())
        plain = clicks(template(mode("open")))["spec"]
        self.assertEqual(plain.keys(), {"type", "selector", "ports"})
        self.assertEqual(plain["ports"], [{"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"}])

    def test_a_service_of_both_families_leads_to_pods_that_listen_to_both(self):
        def listens(objects):
            return {v["name"]: v.get("value") for v in container(objects)["env"]}.get("LISTEN")

        objects = rendered("open", {"service": {"ipDualStack": {"enabled": True, "ipFamilies": ["IPv6", "IPv4"]}}})
        spec = clicks(objects)["spec"]
        self.assertEqual((spec["ipFamilyPolicy"], spec["ipFamilies"]), ("PreferDualStack", ["IPv6", "IPv4"]))
        self.assertEqual(listens(objects), "[::]:8080")
        self.assertIsNone(listens(template(mode("open"))))
        self.assertEqual(listens(template(mode("everything-on"))), "[::]:8000")
        # There oauth2-proxy listens for it.
        rendered("sso-sidecar", {"service": {"ipDualStack": {"enabled": True}}})

    def test_where_traffic_goes_is_left_to_a_kubernetes_that_does_not_know_it(self):
        for kubernetes, expected in [("1.30", None), ("1.31", "PreferClose"), ("1.35", "PreferClose")]:
            objects = template(mode("everything-on"), kubernetes=kubernetes)
            self.assertEqual(clicks(objects)["spec"].get("trafficDistribution"), expected)
        self.assertEqual(clicks(objects)["spec"]["internalTrafficPolicy"], "Cluster")

    def test_one_registry_has_all_images(self):
        def images(name, values):
            objects = rendered(name, values)
            return [part["image"] for part in pod(objects)["containers"]] + [one(objects, "Pod")["spec"]["containers"][0]["image"]]

        tag = template(mode("open"))
        tag = container(tag)["image"].removeprefix("open-chat:")
        digest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        curl = "curlimages/curl:8.11.1"
        registry = {"imageRegistry": "mirror.example.com:5000/hub"}
        for name, values, expected in [
            ("open", {}, [f"open-chat:{tag}", f"docker.io/{curl}"]),
            ("open", {"image": {"registry": "registry.example.com"}}, [f"registry.example.com/open-chat:{tag}", f"docker.io/{curl}"]),
            ("open", {"global": registry}, [f"mirror.example.com:5000/hub/open-chat:{tag}", f"mirror.example.com:5000/hub/{curl}"]),
            ("simulator", {"global": registry}, [f"mirror.example.com:5000/hub/open-chat:{tag}"] * 2 + [f"mirror.example.com:5000/hub/{curl}"]),
            ("open", {"global": registry, "image": {"registry": "registry.example.com", "repository": "team/open-chat", "tag": "2"}}, ["mirror.example.com:5000/hub/team/open-chat:2", f"mirror.example.com:5000/hub/{curl}"]),
            ("everything-on", {"global": registry}, [f"mirror.example.com:5000/hub/open-chat{digest}", "mirror.example.com:5000/hub/curl:8"]),
        ]:
            self.assertEqual(images(name, values), expected)

    def test_what_tests_the_service_asks_for(self):
        def resources(name):
            return one(template(mode(name)), "Pod")["spec"]["containers"][0]["resources"]

        self.assertEqual(resources("open"), {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}})
        # What a quota may want, too.
        self.assertEqual(resources("everything-on"), {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}})

    def test_what_pulls_images_is_named_once_for_all_charts(self):
        objects = rendered("everything-on", {"global": {"imagePullSecrets": ["company", {"name": "registry"}]}})
        expected = [{"name": "registry"}, {"name": "company"}]
        self.assertEqual(pod(objects)["imagePullSecrets"], expected)
        self.assertEqual(one(objects, "Pod")["spec"]["imagePullSecrets"], expected)
        self.assertNotIn("imagePullSecrets", pod(template(mode("open"))))

    def test_nothing_global_is_needed(self):
        for binary in HELMS:
            run = helm("template", "buttons", mode("open").parents[1], "--values", mode("open"), "--set", "global=null", binary=binary)
            self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
