"""What can be set, and what helm says where it is wrong."""

import copy
import json
import tempfile
import unittest

import yaml
from helm import CHART, HELMS, RELEASE, ROOT, container, helm, mode, one, table, template, values_file

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())

GONE = object()
OTHER_NAME = {"$ref": "#/definitions/otherName"}

# A mode, what is changed in it, and words of the answer.
WRONG = [
    ("open", {"access": GONE}, "access is not set: it says who may open whose panel"),
    ("open", {"access": "password"}, "access|match pattern"),
    ("open", {"access": ["pass", "password"]}, "access|one of|sso"),
    ("open", {"acess": "open"}, "acess|not allowed"),
    ("open", {"secrets": GONE}, "The credentials for ChatHub are not set. Set CHATHUB_LOGIN and CHATHUB_PASSWORD, or CHATHUB_API_KEY"),
    ("open", {"secrets": {"CHATHUB_PASSWORD": GONE}}, "The credentials for ChatHub are not set"),
    ("open", {"secrets": {"CHATHUB_PASSWORD": ""}}, "CHATHUB_PASSWORD|length"),
    ("open", {"secrets": {"CHATHUB_PASWORD": "x"}}, "CHATHUB_PASWORD|not allowed"),
    ("open", {"secrets": {"CHATHUB_API_KEY": "x"}}, "CHATHUB_API_KEY is set beside CHATHUB_LOGIN or CHATHUB_PASSWORD"),
    ("open", {"extraEnv": [{"name": "CHATHUB_PASSWORD"}]}, "CHATHUB_PASSWORD is set twice, by secrets and by extraEnv"),
    ("open", {"existingSecrets": {"a": {"CHATHUB_LOGIN": "x"}}}, "CHATHUB_LOGIN is set twice, by secrets and by existingSecrets.a"),
    ("open", {"existingSecrets": {"a": {"DEFAULT_REGION": "x"}}}, "DEFAULT_REGION|not allowed"),
    ("open", {"existingSecrets": {"a": "CHATHUB_LOGIN"}}, "existingSecrets|object"),
    ("open", {"operatorMap": {"ann": 101}, "existingOperatorMap": "agents"}, "OPERATOR_MAP is set twice"),
    ("open", {"operatorMap": {"ann": True}}, "operatorMap|integer|boolean"),
    ("pass", {"secrets": {"PASS_KEYS_FILE": GONE}}, "access has pass, which needs a key: set PASS_SECRET or PASS_KEYS_FILE"),
    ("key", {"secrets": {"API_KEYS_FILE": GONE}}, "access has key, which needs the keys: set API_KEYS_FILE"),
    ("sso", {"config": {"SSO_HEADER": GONE}}, "access has sso, which needs config.SSO_HEADER"),
    ("sso", {"config": {"TRUSTED_PROXIES": []}}, "access has sso, which needs config.TRUSTED_PROXIES"),
    ("sso", {"config": {"TRUSTED_PROXIES": "10.1.2.3, 10.244.0.0/16"}, "secrets": {"SSO_PROXY_SECRET": GONE}}, "TRUSTED_PROXIES has a network (10.244.0.0/16)|SSO_PROXY_SECRET"),
    ("sso", {"config": {"TRUSTED_PROXIES": ["0.0.0.0/0"]}, "secrets": {"SSO_PROXY_SECRET": GONE}}, "TRUSTED_PROXIES has a network (0.0.0.0/0)|SSO_PROXY_SECRET"),
    ("sso", {"config": {"TRUSTED_PROXIES": ["fd00::/32"]}, "secrets": {"SSO_PROXY_SECRET": GONE}}, "TRUSTED_PROXIES has a network (fd00::/32)|SSO_PROXY_SECRET"),
    ("sso", {"config": {"TRUSTED_PROXIES": GONE}, "extraEnv": [{"name": "TRUSTED_PROXIES", "value": "10.0.0.0/8"}], "secrets": {"SSO_PROXY_SECRET": GONE}}, "TRUSTED_PROXIES has a network (10.0.0.0/8)|SSO_PROXY_SECRET"),
    ("sso", {"secrets": {"SSO_PROXY_SECRET": "15-chars-canary"}}, "SSO_PROXY_SECRET|length"),
    ("sso", {"config": {"SSO_HEADER": "X-Proxy-Secret"}}, "SSO_HEADER is X-Proxy-Secret, which means something else already"),
    ("sso", {"config": {"SSO_HEADER": "x-forwarded-for"}}, "SSO_HEADER is x-forwarded-for, which means something else already"),
    ("sso", {"config": {"SSO_HEADER": "Cookie"}}, "SSO_HEADER is Cookie, which means something else already"),
    ("sso", {"config": {"SSO_HEADER": GONE}, "extraEnv": [{"name": "SSO_HEADER", "value": "Host"}]}, "SSO_HEADER is Host, which means something else already"),
    ("sso", {"config": {"SSO_HEADER": "X-Auth Request"}}, "SSO_HEADER|match pattern"),
    ("sso", {"config": {"SSO_BY_NAME": "yes"}}, "SSO_BY_NAME|one of|on|off"),
    ("device", {"secrets": {"DEVICE_SECRET": GONE}}, "access has device, which needs a key: set DEVICE_SECRET"),
    ("device", {"secrets": {"DEVICE_SECRET": "canary-31-bytes-of-a-key-line-x"}}, "secrets.DEVICE_SECRET has a line of 31 bytes; each must have 32"),
    ("device", {"secrets": {"DEVICE_SECRET": "canary-" + "x" * 32 + "\n\n canary-31-bytes-of-a-key-line-x \n"}}, "secrets.DEVICE_SECRET has a line of 31 bytes"),
    ("device", {"secrets": {"DEVICE_SECRET": ""}}, "DEVICE_SECRET|length"),
    ("device", {"config": {"PUBLIC_URL": GONE}, "ingress": {"enabled": False}}, "access has device, which needs config.PUBLIC_URL: invitations lead there."),
    ("device", {"config": {"PUBLIC_URL": GONE}, "ingress": {"tls": []}}, "access has device, which needs config.PUBLIC_URL|cannot be taken from the way in: ingress.tls does not have chat.example.com"),
    ("device", {"config": {"PUBLIC_URL": "https://chat.example.com/chats"}}, "PUBLIC_URL is https://chat.example.com/chats; with device in access|no path"),
    ("device", {"config": {"PUBLIC_URL": "https://chat.example.com/?a"}}, "PUBLIC_URL|no path"),
    ("device", {"config": {"PUBLIC_URL": "http://chat.example.com"}}, "PUBLIC_URL|https"),
    ("device", {"config": {"PUBLIC_URL": GONE}, "extraEnv": [{"name": "PUBLIC_URL", "value": "http://chat.example.com"}]}, "PUBLIC_URL is http://chat.example.com|https"),
    ("device", {"config": {"DEVICE_TTL": "401d"}}, "config.DEVICE_TTL is 401d; it must be from 1h to 400d"),
    ("device", {"existingSecrets": {"valkey": GONE}}, "with up to 2 replicas|Set REDIS_URL|devices.acceptOncePerReplica"),
    ("device", {"existingSecrets": {"valkey": GONE}, "replicas": 1, "autoscaling": {"enabled": True}}, "with up to 4 replicas|devices.acceptOncePerReplica"),
    ("device", {"devices": {"existingRevoked": "ended"}}, "DEVICES_REVOKED is set twice, by devices.revoked and by devices.existingRevoked"),
    ("device", {"secrets": {"DEVICES_REVOKED_FILE": "x"}}, "DEVICES_REVOKED is set twice, by secrets and by devices.revoked"),
    ("device", {"devices": {"revoked": [{}]}}, "revoked|properties|1"),
    ("device", {"devices": {"revoked": [{"device": "7f3a"}]}}, "device|match pattern"),
    ("device", {"devices": {"revoked": [{"operator": "ann"}]}}, "operator|integer"),
    ("device", {"devices": {"revoked": [{"before": "yesterday"}]}}, "before|match pattern"),
    ("device", {"devices": {"revoked": [{"id": "7f3a"}]}}, "id|not allowed"),
    ("connectors", {"config": {"PUBLIC_URL": GONE}, "httpRoute": {"hostnames": ["chat.example.org"]}}, "There are connectors, which need config.PUBLIC_URL|cannot be taken from the way in: there are several: chat.example.com, chat.example.org"),
    ("connectors", {"access": "sso"}, "There are connectors|access must have pass|a key that can sign"),
    ("connectors", {"secrets": {"PASS_SECRET": GONE}}, "access has pass, which needs a key"),
    ("connectors", {"secrets": {"PASS_SECRET": GONE, "PASS_KEYS_FILE": '[[key]]\nid = "crm"\nalgorithm = "RS256"\n'}}, "no key of secrets.PASS_KEYS_FILE can sign|HS256"),
    ("connectors", {"existingSecrets": {"valkey": GONE}}, "with up to 2 replicas|Set REDIS_URL|connectors.acceptOncePerReplica"),
    ("connectors", {"existingSecrets": {"valkey": GONE}, "autoscaling": {"enabled": True, "maxReplicas": 7}}, "with up to 7 replicas|asked 7 times"),
    ("connectors", {"connectors": {"existingSecret": "crm"}}, "CONNECTORS is set twice, by connectors.toml and by connectors.existingSecret"),
    ("connectors", {"connectors": {"existingSecret": "crm", "toml": GONE}}, "connectors.files is set beside connectors.existingSecret"),
    ("connectors", {"secrets": {"CONNECTORS_FILE": "[kommo]"}}, "CONNECTORS is set twice, by secrets and by connectors.toml"),
    ("connectors", {"config": {"CONNECTORS_FILE": "/mnt/vault/it"}}, "CONNECTORS is set twice, by config and by connectors.toml"),
    ("connectors", {"connectors": {"files": {"kommo": GONE}}}, "connectors.toml names the file /etc/open-chat-connectors/kommo, and connectors.files has no kommo"),
    ("connectors", {"connectors": {"files": {"komo": "canary-kommo-secret"}}}, "connectors.files has komo, and connectors.toml does not name /etc/open-chat-connectors/komo"),
    ("connectors", {"connectors": {"toml": GONE}}, "connectors.files has bitrix24, and connectors.toml does not name"),
    ("connectors", {"connectors": {"toml": "# none yet\n", "files": GONE}}, "connectors.toml has no section"),
    ("connectors", {"connectors": {"files": {"connectors.toml": "x"}}}, "connectors.toml"),
    ("connectors", {"connectors": {"files": {"a/b": "x"}}}, "a/b"),
    ("connectors", {"connectors": {"files": {"kommo": ""}}}, "kommo|length"),
    ("connectors", {"connectors": {"existingSecret": "CRM"}}, "existingSecret|match pattern"),
    ("connectors", {"connectors": {"publicPaths": ["/connect"]}}, "publicPaths|one of|/connect/kommo"),
    ("connectors", {"publicPaths": ["/open-chat", "/connect"]}, "publicPaths|one of|/open-chat"),
    ("connectors", {"publicPaths": ["/open-chat", "/connect/kommo"]}, "publicPaths|one of|/open-chat"),
    ("connectors", {"connectors": {"secret": "crm"}}, "secret|not allowed"),
    ("existing-secret", {"config": {"PUBLIC_URL": GONE}}, "There are connectors, which need config.PUBLIC_URL"),
    ("simulator", {"secrets": {"CHATHUB_API_KEY": "x"}}, "CHATHUB_API_KEY is set twice, by secrets and by simulator.enabled"),
    ("simulator", {"ingress": {"enabled": True, "hosts": ["chat.example.com"]}}, "simulator.enabled lets anyone in, and ingress.enabled would open it|set access"),
    ("simulator", {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]}}, "simulator.enabled lets anyone in, and httpRoute.enabled would"),
    ("simulator", {"service": {"type": "LoadBalancer"}}, "simulator.enabled lets anyone in, and service.type: LoadBalancer would"),
    ("simulator", {"access": "", "service": {"type": "NodePort"}}, "simulator.enabled lets anyone in, and service.type: NodePort would"),
    ("open", {"config": {"DEFAULT_REGON": "UA"}}, "DEFAULT_REGON|not allowed"),
    ("open", {"config": {"ACCESS": "open"}}, "ACCESS|not allowed"),
    ("open", {"config": {"CHATHUB_PASSWORD": "x"}}, "CHATHUB_PASSWORD|not allowed"),
    ("open", {"config": {"DEFAULT_REGION": False}}, "DEFAULT_REGION|string|boolean"),
    ("open", {"config": {"CHATHUB_URL": "http://chathub.example"}}, "CHATHUB_URL|match pattern|https"),
    ("open", {"config": {"CHATHUB_MAX_RATE": 0}}, "CHATHUB_MAX_RATE|1"),
    ("open", {"config": {"TOKEN_TTL": "1 hour"}}, "TOKEN_TTL|match pattern"),
    ("open", {"config": {"TOKEN_TTL": 3600}}, "TOKEN_TTL|string"),
    ("open", {"config": {"RATE_LIMIT_CLIENT": "600"}}, "RATE_LIMIT_CLIENT|match pattern"),
    ("open", {"config": {"FALLBACK": "log in"}}, "FALLBACK|one of|page|login"),
    ("open", {"config": {"LISTEN": "8080"}}, "LISTEN|match pattern"),
    ("open", {"config": {"LISTEN": "0.0.0.0:9090"}}, "config.LISTEN and config.OPS_LISTEN must have different ports"),
    ("open", {"config": {"OPS_LISTEN": None}}, "config.OPS_LISTEN must be set"),
    ("open", {"config": {"SHUTDOWN_TIMEOUT": "soon"}}, "SHUTDOWN_TIMEOUT|match pattern"),
    ("open", {"config": {"DRAIN_DELAY": 5}}, "DRAIN_DELAY|0"),
    ("open", {"config": {"OTEL_TRACES_SAMPLER_ARG": 1.5}}, "OTEL_TRACES_SAMPLER_ARG|1"),
    ("open", {"terminationGracePeriodSeconds": 24}, "terminationGracePeriodSeconds is 24, but|25 s"),
    ("open", {"publicPaths": ["/open-chat", "/metrics"]}, "publicPaths|one of|/open-chat|/links"),
    ("open", {"publicPaths": []}, "publicPaths|1"),
    ("open", {"service": {"targetPort": "login"}}, "service.targetPort is login, and no port of the pod has that name"),
    ("open", {"service": {"targetPort": "Login"}}, "targetPort|match pattern"),
    ("open", {"extraContainers": [{"name": "open-chat"}]}, "extraContainers"),
    ("open", {"extraContainers": [{"image": "x"}]}, "extraContainers|name"),
    ("open", {"prometheusRule": {"runbookBaseUrl": "docs"}}, "runbookBaseUrl|match pattern"),
    ("open", {"prometheusRule": {"setupErrors": {"window": "soon"}}}, "window|match pattern"),
    ("open", {"prometheusRule": {"setupErrors": {"count": "x"}}}, "count|number"),
    ("open", {"config": {"TOKEN_TTL": "24h"}}, "config.TOKEN_TTL is 24h; it must be from 1m to 23h55m"),
    ("open", {"config": {"OPS_LISTEN": "[::]:70000"}}, "config.OPS_LISTEN has the port 70000; it must be from 1 to 65535"),
    ("open", {"config": {"TRUSTED_PROXIES": ["10.0.0.0/8", "ingress"]}}, "config.TRUSTED_PROXIES has `ingress`, which is not a network"),
    ("open", {"config": {"SENDERS": {"vibr": "Acme"}}}, "config.SENDERS has `vibr=Acme`, which is not a source with its sender"),
    ("open", {"config": {"WIDGET_FRAME_ANCESTORS": "self,crm.example"}}, "config.WIDGET_FRAME_ANCESTORS has `crm.example`, which is not self, or an origin"),
    ("open", {"ingress": {"hosts": []}}, "ingress.hosts is empty"),
    ("open", {"ingress": {"hosts": ["https://chat.example.com"]}}, "hosts|match pattern"),
    ("open", {"httpRoute": {"enabled": True}}, "httpRoute.parentRefs is empty"),
    ("open", {"replicas": "two"}, "replicas|integer|string"),
    ("open", {"service": {"port": 80000}}, "port|535"),
    ("open", {"service": {"type": "ExternalName"}}, "type|one of|ClusterIP"),
    ("open", {"image": {"digest": "9f86d081"}}, "digest|match pattern|sha256"),
    ("open", {"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable|1"),
    ("open", {"resources": "small"}, "resources|object"),
    ("open", {"serviceMonitor": {"interval": 30}}, "interval|string"),
    ("open", {"serviceMonitor": {"scrapeTimeout": "1m"}}, "serviceMonitor.scrapeTimeout is 1m, longer than serviceMonitor.interval"),
    ("open", {"serviceMonitor": {"relabelings": "node"}}, "relabelings|array|string"),
    ("open", {"serviceMonitor": {"metricRelabelings": ["node"]}}, "metricRelabelings|object|string"),
    ("open", {"serviceMonitor": {"namespace": "Monitoring"}}, "namespace|match pattern"),
    ("open", {"prometheusRule": {"namespace": "a.b"}}, "namespace|match pattern"),
    ("open", {"dashboard": {"namespace": "a/b"}}, "namespace|match pattern"),
    ("open", {"namespaceOverride": "Chats"}, "namespaceOverride|match pattern"),
    ("open", {"ingress": {"hosts": [{"host": "chat.example.com", "paths": [{"path": "/"}]}]}}, "ingress.hosts are names alone in this chart: [chat.example.com]|publicPaths"),
    ("open", {"commonLabels": {"app.kubernetes.io/name": "chat"}}, "commonLabels has app.kubernetes.io/name, which is the chart's own"),
    ("open", {"podLabels": {"helm.sh/chart": "chat"}}, "podLabels has helm.sh/chart, which is"),
    ("open", {"service": {"labels": {"app.kubernetes.io/instance": "chat"}}}, "service.labels has app.kubernetes.io/instance, which is"),
    ("open", {"deploymentLabels": {"team": 1}}, "deploymentLabels|team|string"),
    ("open", {"deploymentAnnotations": {"team": 1}}, "deploymentAnnotations|team|string"),
    ("open", {"service": {"nodePort": 30080}}, "service.nodePort is set, which takes service.type NodePort or LoadBalancer"),
    ("open", {"service": {"externalTrafficPolicy": "Local"}}, "service.externalTrafficPolicy is set, which takes service.type NodePort or LoadBalancer"),
    ("open", {"service": {"externalTrafficPolicy": "local", "type": "NodePort"}}, "externalTrafficPolicy|one of|Local"),
    ("open", {"service": {"internalTrafficPolicy": "local"}}, "internalTrafficPolicy|one of|Local"),
    ("open", {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}}, "service.loadBalancerSourceRanges is set, which takes service.type LoadBalancer"),
    ("open", {"service": {"loadBalancerSourceRanges": "10.0.0.0/8"}}, "loadBalancerSourceRanges|array|string"),
    ("open", {"service": {"trafficDistribution": "Near"}}, "trafficDistribution|one of|PreferClose"),
    ("open", {"service": {"clusterIP": "none"}}, "clusterIP|match pattern"),
    ("open", {"service": {"ipDualStack": {"enabled": True}}, "config": {"LISTEN": "0.0.0.0:8080"}}, "service.ipDualStack is enabled, and config.LISTEN is 0.0.0.0:8080|[::]:8080"),
    ("open", {"service": {"ipDualStack": {"ipFamilies": ["IPv5"]}}}, "ipFamilies|one of|IPv4"),
    ("open", {"autoscaling": {"targetMemoryUtilizationPercentage": "80%"}}, "targetMemoryUtilizationPercentage|integer|string"),
    ("open", {"autoscaling": {"behavior": "slow"}}, "behavior|object|string"),
    ("open", {"replicas": 2, "podDisruptionBudget": {"minAvailable": 2}}, "podDisruptionBudget.minAvailable is 2, and there may be 2 pods"),
    ("open", {"replicas": 9, "autoscaling": {"enabled": True, "minReplicas": 3}, "podDisruptionBudget": {"minAvailable": 3}}, "podDisruptionBudget.minAvailable is 3, and there may be 3 pods"),
    ("open", {"replicas": 4, "podDisruptionBudget": {"minAvailable": "100%"}}, "podDisruptionBudget.minAvailable is 100%"),
    ("open", {"podDisruptionBudget": {"minAvailable": "half"}}, "minAvailable|match pattern"),
    ("open", {"podDisruptionBudget": {"unhealthyPodEvictionPolicy": "Never"}}, "unhealthyPodEvictionPolicy|one of|AlwaysAllow"),
    ("open", {"revisionHistoryLimit": "3"}, "revisionHistoryLimit|integer|string"),
    ("open", {"resizePolicy": [{"resourceName": "cpu"}]}, "resizePolicy|restartPolicy"),
    ("open", {"startupProbe": {"periodSeconds": 0}}, "startupProbe|periodSeconds|1"),
    ("open", {"livenessProbe": {"enabled": False}}, "livenessProbe|enabled|not allowed"),
    ("open", {"livenessProbe": {"successThreshold": 2}}, "livenessProbe|successThreshold|not allowed"),
    ("open", {"readinessProbe": {"successThreshold": "2"}}, "successThreshold|integer|string"),
    ("open", {"lifecycle": {"preStart": {}}}, "preStart|postStart|preStop"),
    ("open", {"terminationGracePeriodSeconds": 29, "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, "terminationGracePeriodSeconds is 29, but|30 s"),
    ("open", {"hostAliases": [{"ip": "192.0.2.7"}]}, "hostAliases|hostnames"),
    ("open", {"hostAliases": [{"ip": "chat.example.com", "hostnames": ["a"]}]}, "hostAliases|ip|match pattern"),
    ("open", {"envFrom": [{"configMap": {"name": "a"}}]}, "envFrom|configMap|not allowed"),
    ("open", {"envFrom": [{"secretRef": {}}]}, "envFrom|secretRef|name"),
    ("open", {"test": {"resources": "small"}}, "resources|object|string"),
    ("open", {"image": {"registry": "https://registry.example.com"}}, "registry|match pattern"),
    ("open", {"global": {"imagePullSecrets": "registry"}}, "imagePullSecrets|array|string"),
]


def changed(values, change):
    """Values with a change, where GONE takes out."""
    values = copy.deepcopy(values)
    for key, value in change.items():
        if value is GONE:
            del values[key]
        elif isinstance(value, dict) and isinstance(values.get(key), dict):
            values[key] = changed(values[key], value)
        else:
            values[key] = value
    return values


def settable():
    """The variables that the schema knows, each as it is called there."""
    properties = SCHEMA["properties"]
    return {"ACCESS", *properties["config"]["properties"], *properties["secrets"]["properties"]}


def variables():
    """All of the service's variables: those of the table, which a test of the service holds, and
    NAME_FILE of the secrets."""
    names = {row[0] for row in table("settings.md", "## Variables")}
    secrets = {name.removesuffix("_FILE") for name in SCHEMA["properties"]["secrets"]["properties"]} & names
    return names | {f"{name}_FILE" for name in secrets}


class Values(unittest.TestCase):
    def test_what_is_wrong_is_said(self):
        for binary in HELMS:
            for name, change, words in WRONG:
                with self.subTest(change=change, helm=binary.parts[-3]), tempfile.NamedTemporaryFile("w") as file:
                    yaml.safe_dump(changed(yaml.safe_load(mode(name).read_text()), change), file)
                    file.flush()
                    run = helm("template", RELEASE, CHART, "--values", file.name, binary=binary)
                    self.assertNotEqual(run.returncode, 0)
                    for word in words.split("|"):
                        self.assertIn(word.lower(), run.stderr.lower())
                    self.assertNotIn("canary", run.stderr)

    def test_the_names_of_other_charts_are_refused_with_ours(self):
        def others(schema, path=""):
            for name, part in schema.get("properties", {}).items():
                if part == OTHER_NAME:
                    yield f"{path}{name}"
                yield from others(part, f"{path}{name}.")

        names = list(others(SCHEMA))
        self.assertGreater(len(names), 30)
        for name in names:
            *groups, last = name.split(".")
            given = {last: 3}
            for group in reversed(groups):
                given = {group: given}
            with self.subTest(name=name), values_file(given) as file:
                run = helm("template", RELEASE, CHART, "--values", mode("open"), "--values", file)
                self.assertIn(f"This chart has no value {name}: ", run.stderr)
        for binary in HELMS:
            run = helm("template", RELEASE, CHART, "--values", mode("open"), "--set", "replicaCount=3", binary=binary)
            self.assertIn("This chart has no value replicaCount: it is called replicas.", run.stderr)
            run = helm("template", RELEASE, CHART, "--values", mode("open"), "--set", "replicaCount=null", binary=binary)
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_what_comes_by_env_from_is_not_missed(self):
        """Helm cannot see it. What it lacks the service says when it starts."""
        settings = [{"secretRef": {"name": "settings"}}]
        for access in ("pass", "key", "sso", "device"):
            with self.subTest(access=access), values_file({"access": access, "replicas": 1, "envFrom": settings}) as file:
                objects = template(file)
                self.assertEqual(container(objects)["envFrom"], settings)
        # A container's own variables win over these, so nothing is derived, either.
        with values_file({"envFrom": settings, "config": {"PUBLIC_URL": None}}) as file:
            names = [variable["name"] for variable in container(template(mode("device"), file))["env"]]
        self.assertNotIn("PUBLIC_URL", names)

    def test_an_identity_is_believed_from_single_addresses_or_with_a_secret(self):
        gone = {"secrets": {"SSO_PROXY_SECRET": GONE}}
        plain = yaml.safe_load(mode("sso").read_text())
        for change in [
            {"config": {"TRUSTED_PROXIES": ["10.1.2.3", "10.1.2.4/32", "fd00::1", "fd00::2/128"]}, **gone},
            {"config": {"TRUSTED_PROXIES": "10.244.0.0/16"}},
            {"config": {"TRUSTED_PROXIES": "10.244.0.0/16", "SSO_PROXY_SECRET_FILE": "/mnt/vault/it"}, **gone},
            {"config": {"SSO_HEADER": "X-Forwarded-Email"}},
        ]:
            with self.subTest(change=change), values_file(changed(plain, change)) as file:
                self.assertEqual(one(template(file), "Deployment")["kind"], "Deployment")

    def test_pairing_is_taken_where_an_invitation_is_good_once_or_that_is_wanted_otherwise(self):
        plain = yaml.safe_load(mode("device").read_text())
        alone = {"existingSecrets": {"valkey": GONE}}
        for change in [
            {**alone, "replicas": 1},
            {**alone, "devices": {"acceptOncePerReplica": True}},
            {**alone, "extraEnv": [{"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "valkey", "key": "url"}}}]},
            {"config": {"PUBLIC_URL": "https://chat.example.com:8443/"}},
            {"config": {"PUBLIC_URL": "http://127.0.0.1:8080"}},
            {"access": "sso, device", "config": {"SSO_HEADER": "X-User", "TRUSTED_PROXIES": "10.1.2.3"}},
        ]:
            with self.subTest(change=change), values_file(changed(plain, change)) as file:
                self.assertEqual(one(template(file), "Deployment")["kind"], "Deployment")

    def test_nothing_is_installed_by_default(self):
        for binary in HELMS:
            run = helm("template", RELEASE, CHART, binary=binary)
            self.assertIn("access is not set", run.stderr)

    def test_every_variable_can_be_set_and_no_other(self):
        self.assertEqual(settable(), variables())
        existing = SCHEMA["properties"]["existingSecrets"]["additionalProperties"]["properties"]
        self.assertEqual(set(existing), set(SCHEMA["properties"]["secrets"]["properties"]))

    def test_every_object_of_the_schema_is_closed(self):
        def look(schema, path):
            # What is global is other charts', too.
            if "properties" in schema and path != "values.global":
                self.assertIs(schema.get("additionalProperties"), False, path)
            for name, part in schema.get("properties", {}).items():
                look(part, f"{path}.{name}")

        look(SCHEMA, "values")

    def test_schema_and_values_have_the_same_names(self):
        def names(schema, values, path=""):
            # `enabled` is for a chart that has this one in it; other charts' names are there to be
            # refused with a word.
            known = {name for name, part in schema["properties"].items() if part != OTHER_NAME} - ({"enabled"} if not path else set())
            self.assertEqual(known, set(values), path)
            for name in known:
                if "properties" in schema["properties"][name] and name not in ("config", "secrets"):
                    names(schema["properties"][name], values[name], f"{path}.{name}")

        names(SCHEMA, VALUES)

    def test_the_version_is_that_of_the_program(self):
        cargo = (ROOT / "Cargo.toml").read_text().split('\nversion = "')[1].split('"')[0]
        self.assertEqual(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"], cargo)
