"""The service's environment, as the chart renders it."""

import re
import unittest

import yaml
from helm import MODES, container, mode, notes, one, template, values_file
from test_values import GONE, changed, variables


def environment(name):
    return {variable["name"]: variable.get("value") for variable in container(template(mode(name)))["env"]}


def variable(name):
    """One that the chart does not set: a Secret's, or a file that a driver brings."""
    if name.endswith("_FILE"):
        return {"name": name, "value": "/mnt/vault/it"}
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "vault", "key": "it"}}}


class Environment(unittest.TestCase):
    def test_the_service_knows_every_variable(self):
        rendered = set()
        for values in MODES:
            names = {variable["name"] for variable in container(template(values))["env"]}
            # Those of the HTTP library.
            self.assertLessEqual(names - {"HTTPS_PROXY"}, variables(), values.name)
            rendered |= {name.removesuffix("_FILE") for name in names}
        self.assertEqual({name.removesuffix("_FILE") for name in variables()} - rendered, set())

    def test_a_value_arrives_as_it_was_meant(self):
        expected = {
            "MAX_CONNECTIONS": "1000000",
            "TOKEN_VALIDATE": "on",
            "SENDERS": "viber=Acme,whatsapp=380671112233",
            "ALLOWED_NETWORKS": "10.0.0.0/8,192.0.2.7",
        }
        self.assertLessEqual(expected.items(), environment("open").items())
        expected = {"TOKEN_REUSE": "0", "TOKEN_VALIDATE": "off", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
        self.assertLessEqual(expected.items(), environment("everything-on").items())

    def test_no_secret_stands_in_the_environment(self):
        for values in MODES:
            if values != mode("simulator"):
                self.assertNotIn("canary", str(container(template(values))))

    def test_all_replicas_together_ask_chathub_no_more_than_one_would(self):
        for name, rate in {"open": "40", "redis": "13", "pass": "10", "everything-on": "20", "simulator": "40"}.items():
            self.assertEqual(environment(name)["CHATHUB_MAX_RATE"], rate, name)

    def test_the_notes_end_in_a_click(self):
        for values in MODES:
            last = notes(values).strip().splitlines()[-1]
            self.assertRegex(last, r"^  curl -i 'https?://[^/]+/open-chat\?operator=101&phone=%2B380501234567'$", values.name)
        self.assertIn("'https://chat.example.com/", notes(mode("sso")))
        self.assertIn("'http://chat.acme.internal/", notes(mode("open")))
        self.assertIn("port-forward deployment/buttons-open-chat 8080:8080 9000\n", notes(mode("simulator")))

    def test_the_notes_say_where_the_ukrainian_guide_is(self):
        line = "\nУкраїнською: https://open-chat.example/README.uk.md\n"
        self.assertIn(line, notes(mode("open")))

    def test_the_notes_name_the_link_builder(self):
        words = "a page that composes their URLs: "
        self.assertIn(f"{words}https://chat.example.com/builder\n", notes(mode("sso")))
        self.assertIn(f"{words}http://127.0.0.1:8080/builder\n", notes(mode("simulator")))
        self.assertIn(f"{words}http://127.0.0.1:8080/builder\n", notes(mode("key")))
        ukrainian = "\nУкраїнською: "
        self.assertIn(f"{ukrainian}https://chat.example.com/builder?lang=uk\n", notes(mode("sso")))
        self.assertIn(f"{ukrainian}http://127.0.0.1:8080/builder?lang=uk\n", notes(mode("simulator")))
        self.assertNotIn("/builder?lang=uk", notes(mode("everything-on")))
        # It is off there.
        self.assertNotIn(words, notes(mode("everything-on")))
        with values_file({"publicPaths": ["/open-chat"]}) as file:
            self.assertNotIn(words, notes(mode("open"), file))

    def test_the_notes_tell_how_a_browser_is_paired(self):
        words = "exec deployment/buttons-open-chat --container open-chat -- /open-chat pair --operator 101\n"
        self.assertIn(words, notes(mode("device")))
        self.assertNotIn(words, notes(mode("sso")))

    def test_the_notes_tell_what_crms_may_ask(self):
        words = "exec deployment/buttons-open-chat --container open-chat -- /open-chat check\n"
        for values, there in [("connectors", True), ("everything-on", True), ("existing-secret", True), ("device", False)]:
            self.assertEqual(words in notes(mode(values)), there, values)
        outside = "which this chart leads in by its Ingress or HTTPRoute only"
        self.assertIn(outside, notes(mode("existing-secret")))
        self.assertNotIn(outside, notes(mode("connectors")))
        once = {"existingSecrets": {"valkey": None}, "connectors": {"acceptOncePerReplica": True}}
        with values_file(once) as file:
            self.assertIn("a one-time link opens once in each, and so does what a CRM has proven.", notes(mode("connectors"), file))

    def test_a_login_in_the_pod_is_told_what_to_let_pass(self):
        words = "  --skip-auth-route="
        self.assertNotIn(words, notes(mode("connectors")))
        crms = {"access": "pass,sso", "secrets": {"PASS_SECRET": "canary-pass-secret-of-32-bytes-or-more"}, "replicas": 1}
        crms["connectors"] = {"toml": '[kommo]\naccounts = ["acme.kommo.com"]\nsecret = "canary-kommo-secret"\n'}
        with values_file(crms) as file:
            (line,) = [line for line in notes(mode("sso-sidecar"), file).splitlines() if line.startswith(words)]
            paths = {path["path"] for path in one(template(mode("sso-sidecar"), file), "Ingress", "-connectors")["spec"]["rules"][0]["http"]["paths"]}
        route = re.compile(line.removeprefix(words))
        for path in paths:
            self.assertTrue(route.search(path), path)
            for other in (f"{path}/", f"/open-chat{path}", f"{path}/../../open-chat", "/open-chat", "/connect", "/builder"):
                self.assertFalse(route.search(other), other)

    def test_redis_is_known_wherever_its_address_comes_from(self):
        for given, known in [
            ({}, False),
            ({"extraEnv": [variable("REDIS_URLS")]}, False),
            ({"extraEnv": [variable("HTTPS_PROXY"), variable("REDIS_URL")]}, True),
            ({"extraEnv": [variable("REDIS_URL_FILE")]}, True),
            ({"config": {"REDIS_URL_FILE": "/mnt/vault/it"}}, True),
            ({"secrets": {"REDIS_URL": "redis://valkey"}}, True),
            ({"existingSecrets": {"valkey": {"REDIS_URL": "url"}}}, True),
        ]:
            with self.subTest(given=given), values_file({"networkPolicy": {"enabled": True}, **given}) as file:
                egress = one(template(mode("key"), file), "NetworkPolicy")["spec"]["egress"]
                self.assertEqual({"ports": [{"port": 6379}]} in egress, known)
                self.assertEqual("Without REDIS_URL" not in notes(mode("key"), file), known)

    def test_the_notes_say_whom_the_policy_keeps_from_scraping(self):
        words = "networkPolicy.metricsFrom lets pods of the namespace default scrape and no others"
        self.assertIn(words, notes(mode("pass")))
        self.assertNotIn(words, notes(mode("everything-on")))
        self.assertNotIn(words, notes(mode("redis")))

    def test_what_a_lock_relies_on_is_told(self):
        relies = "SSO_PROXY_SECRET is not set: whatever can send requests"
        self.assertNotIn(relies, notes(mode("sso")))
        bare = changed(yaml.safe_load(mode("sso").read_text()), {"secrets": {"SSO_PROXY_SECRET": GONE}})
        with values_file(bare) as file:
            self.assertIn(relies, notes(file))
        unnamed = "config.PUBLIC_URL is not set, so the widget answers only"
        self.assertIn(unnamed, notes(mode("open")))
        self.assertNotIn(unnamed, notes(mode("pass")))
        with values_file({"config": {"PUBLIC_URL": "https://chat.acme.internal"}}) as file:
            self.assertNotIn(unnamed, notes(mode("open"), file))

    def test_the_public_address_is_that_of_the_way_in(self):
        tls = [{"secretName": "chat-tls", "hosts": ["chat.example.com"]}]
        route = {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["chat.example.com"]}
        ingress = {"enabled": True, "hosts": ["chat.example.com"], "tls": tls}
        url = "https://chat.example.com"
        for given, expected, words in [
            ({"ingress": ingress}, url, "PUBLIC_URL is https://chat.example.com, from ingress.hosts. Where"),
            ({"ingress": {**ingress, "tls": [{"secretName": "chat-tls"}]}}, url, "from ingress.hosts. Where"),
            ({"ingress": {**ingress, "tls": [{"secretName": "all", "hosts": ["*.example.com"]}]}}, url, "from ingress.hosts. Where"),
            ({"httpRoute": route}, url, "from httpRoute.hostnames; so the Gateway must speak https. Where"),
            ({"ingress": ingress, "httpRoute": route}, url, "from ingress.hosts and httpRoute.hostnames. Where"),
            # One that is set wins, wherever.
            ({"ingress": ingress, "config": {"PUBLIC_URL": "https://other.example.com"}}, "https://other.example.com", None),
            ({"ingress": ingress, "extraEnv": [{"name": "PUBLIC_URL", "value": "https://a.test"}]}, "https://a.test", None),
            # It cannot be told.
            ({}, None, None),
            ({"ingress": {**ingress, "enabled": False}, "httpRoute": {**route, "enabled": False}}, None, None),
            ({"ingress": {**ingress, "tls": []}}, None, "ingress.tls does not have chat.example.com, and it must be https. Links"),
            ({"ingress": {**ingress, "tls": [{"hosts": ["*.other.test"]}]}}, None, "ingress.tls does not have chat.example.com"),
            ({"ingress": {**ingress, "hosts": ["chat.example.com", "chat.test"]}}, None, "there are several: chat.example.com, chat.test."),
            ({"ingress": {**ingress, "hosts": ["*.example.com"]}}, None, "*.example.com stands for several."),
            ({"ingress": ingress, "httpRoute": {**route, "hostnames": ["chat.test"]}}, None, "there are several: chat.example.com, chat.test."),
            ({"httpRoute": {**route, "hostnames": []}}, None, "httpRoute.hostnames is empty."),
            ({"httpRoute": {**route, "parentRefs": [{"name": "public", "sectionName": "http"}]}}, None, "the Gateway's listener in httpRoute.parentRefs is http"),
            ({"httpRoute": {**route, "parentRefs": [{"name": "public", "port": 80}]}}, None, "the Gateway's listener in httpRoute.parentRefs is http"),
            ({"ingress": ingress, "envFrom": [{"configMapRef": {"name": "settings"}}]}, None, "envFrom may have it."),
        ]:
            with self.subTest(given=given), values_file(given) as file:
                urls = [v["value"] for v in container(template(mode("redis"), file))["env"] if v["name"] == "PUBLIC_URL"]
                self.assertEqual(urls, [expected] if expected else [])
                said = notes(mode("redis"), file)
                self.assertIn(words or "", said)
                self.assertEqual("PUBLIC_URL" in said, words is not None)

    def test_an_address_that_is_taken_from_the_way_in_will_do_for_what_needs_one(self):
        for values in ("device", "connectors"):
            with values_file({"config": {"PUBLIC_URL": None}}) as file:
                self.assertIn({"name": "PUBLIC_URL", "value": "https://chat.example.com"}, container(template(mode(values), file))["env"])

    def test_the_notes_tell_where_clients_addresses_get_lost(self):
        words = "service.externalTrafficPolicy is not Local: all clients have a node's address"
        self.assertNotIn(words, notes(mode("key")))
        self.assertNotIn(words, notes(mode("redis")))
        for kind in ("LoadBalancer", "NodePort"):
            for policy in ("", "Cluster"):
                with values_file({"service": {"type": kind, "externalTrafficPolicy": policy}}) as file:
                    self.assertIn(f"service.type is {kind}, and {words}", notes(mode("redis"), file))

    def test_the_notes_tell_where_a_service_can_be_reached(self):
        with values_file({"service": {"type": "NodePort"}}) as file:
            self.assertIn("stands under PORT(S), after the colon, at each node:", notes(mode("redis"), file))
        self.assertIn("stands under EXTERNAL-IP:\n\n  kubectl --namespace default get service buttons-open-chat\n", notes(mode("key")))
        self.assertIn("It has no address outside of the cluster.", notes(mode("redis")))

    def test_the_notes_tell_that_a_simulator_has_one_pod(self):
        words = "which is one, whatever replicas and autoscaling say"
        self.assertIn(words, notes(mode("simulator")))
        with values_file({"autoscaling": {"enabled": True}, "replicas": 1}) as file:
            self.assertIn(words, notes(mode("simulator"), file))
        with values_file({"replicas": 1}) as file:
            self.assertNotIn(words, notes(mode("simulator"), file))

    def test_the_proxies_are_known_wherever_they_come_from(self):
        for given, known in [
            ({}, False),
            ({"config": {"TRUSTED_PROXIES": "10.0.0.0/8"}}, True),
            ({"extraEnv": [variable("TRUSTED_PROXIES")]}, True),
        ]:
            with self.subTest(given=given), values_file(given) as file:
                self.assertEqual("TRUSTED_PROXIES is not set" not in notes(mode("open"), file), known)
