"""A later file of values takes away what an earlier one has set: null is unset, or refused by
name."""

import unittest

import yaml
from helm import CHART, HELMS, RELEASE, helm, mode, template, values_file
from schemas import problems
from test_values import GONE, SCHEMA, VALUES, changed


def nulls(schema, values, required):
    """null for each value that must be there, or for each that need not."""
    given = {}
    for name, value in values.items():
        part = schema["properties"][name]
        if "properties" in part and name not in ("config", "secrets"):
            if inner := nulls(part, value, required):
                given[name] = inner
        elif name != "config" and (name in schema.get("required", [])) == required:
            given[name] = None
    return given


class Nulls(unittest.TestCase):
    def test_null_is_as_if_it_had_never_been_set(self):
        # Without these `access` in this mode would have nothing to go by.
        kept = {"OPS_LISTEN", "PUBLIC_URL", "SSO_HEADER", "TRUSTED_PROXIES"}
        config = set(SCHEMA["properties"]["config"]["properties"]) - kept
        plain = yaml.safe_load(mode("everything-on").read_text())
        once = {"devices": {"acceptOncePerReplica": True}, "connectors": {"acceptOncePerReplica": True}}
        for null in [
            {"config": dict.fromkeys(sorted(config))},
            {"secrets": {"REDIS_URL": None}, **once},
            {"secrets": {"DEVICE_SECRET": None, "REDIS_URL": None}, "access": ["pass", "sso"], **once},
            {"secrets": {"REDIS_URL": None, "SSO_PROXY_SECRET": None}, "config": {"TRUSTED_PROXIES": "10.1.2.3"}, **once},
            {"connectors": {"toml": None, "files": None}},
            {"connectors": {"annotations": {"example.com/note": None}}},
            {"existingSecrets": {"back-ends": None}, "access": ["pass", "sso"]},
            {"existingSecrets": {"back-ends": {"API_KEYS_FILE": None}}, "access": ["pass", "sso"]},
            {"operatorMap": {"by-name": None}},
            {"operatorMap": None},
            {"podAnnotations": {"example.com/note": None}, "podLabels": {"team": None}},
            {"nodeSelector": {"kubernetes.io/os": None}, "serviceAccount": {"annotations": None}},
            {"serviceMonitor": {"labels": {"release": None}}, "prometheusRule": {"labels": {"release": None}}},
            {"ingress": {"className": None, "tls": None, "annotations": {"cert-manager.io/cluster-issuer": None}}},
        ]:
            gone = changed(plain, without(null, plain))
            for binary in HELMS:
                with self.subTest(null=null), values_file(null) as file, values_file(gone) as expected:
                    rendered = template(mode("everything-on"), file, binary=binary)
                    self.assertEqual(rendered, template(expected, binary=binary))
                    self.assertNotIn("None", str([m["metadata"] for m in rendered]))

    def test_one_sender_of_a_map_can_be_taken_away(self):
        with values_file({"config": {"SENDERS": {"viber": None}}}) as file:
            run = helm("template", RELEASE, CHART, "--values", mode("open"), "--values", file)
        self.assertIn('value: "whatsapp=380671112233"', run.stdout)

    def test_every_value_can_be_null_or_says_that_it_cannot(self):
        free = nulls(SCHEMA, VALUES, required=False)
        # What this mode cannot do without.
        for name in ("access", "secrets", "existingSecrets"):
            free.pop(name)
        free["ingress"].pop("hosts")
        free["httpRoute"].pop("parentRefs")
        needed = nulls(SCHEMA, VALUES, required=True)
        groups = dict.fromkeys(name for name, part in SCHEMA["properties"].items() if "properties" in part and name not in ("secrets", "global"))
        for binary in HELMS:
            with values_file(free) as file:
                for manifest in template(mode("everything-on"), file, binary=binary):
                    self.assertEqual(problems(manifest, "1.33"), [])
            for given in (needed, groups):
                with values_file(given) as file:
                    run = helm("template", RELEASE, CHART, "--values", mode("everything-on"), "--values", file, binary=binary)
                self.assertNotEqual(run.returncode, 0)
                for name in leaves(given):
                    self.assertIn(name, run.stderr)
                self.assertNotIn("nil pointer", run.stderr)
        self.assertIn("repository", str(needed))
        self.assertIn("networkPolicy", groups)


def without(null, plain):
    """The change that takes out what is null, where it is there at all."""
    change = {}
    for name, value in null.items():
        if value is None:
            if name in plain:
                change[name] = GONE
        elif isinstance(value, dict):
            change[name] = without(value, plain.get(name, {}))
            # A Secret of which no key is left is not mounted.
            if not changed(plain.get(name, {}), change[name]) and name == "back-ends":
                change[name] = GONE
        else:
            change[name] = value
    return change


def leaves(given):
    for name, value in given.items():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield name
