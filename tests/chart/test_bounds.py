"""The chart takes no setting that the service would refuse: each is shown to both, the rendered
environment to the real program."""

import pathlib
import subprocess
import tempfile
import unittest

import yaml
from helm import CHART, MODES, RELEASE, ROOT, container, helm, mode, template, values_file
from test_values import SCHEMA, changed

PROGRAM = ROOT / "target/debug/open-chat"
# For the letters that two bytes are.
LETTER = "ї"

# What both take, and what both refuse: the last value on each side of a bound.
BOUNDS = {
    "ALLOWED_NETWORKS": (["10.0.0.0/32", "255.255.255.255", "::1/128, fd00::/8"], ["10.0.0.0/33", "256.0.0.1", "fd00::/129", "chat.example"]),
    "BRAND_NAME": (["a" * 60, LETTER * 60], ["a" * 61, LETTER * 61, "two\nlines", "a\u0085b"]),
    "CHATHUB_ATTEMPT_TIMEOUT": (["1ms", "1d 2h", "36600d"], ["0s", "0ms 0h", "36601d"]),
    "CHATHUB_CONNECT_TIMEOUT": (["1ms", "36600d"], ["0s", "36600d 1ms"]),
    "CHATHUB_MAX_RATE": ([1, 10000], [0, 10001]),
    "CHATHUB_URL": (["https://a", "http://127.0.0.1:1/"], ["https://a@b/", "https://a/#b", "https://", "http://a/"]),
    "CLICK_BUDGET": (["1ms", "36600d"], ["0s", "36600d 1ms"]),
    "CRM_URL": (["http://a", "https://a/b?c#d"], ["https://", "https://a b", "ftp://a"]),
    "DEVICE_TTL": (["1h", "400d", "60m"], ["59m", "401d", "0s"]),
    "DIRECTORY_REFRESH": (["1s", "36600d"], ["0s", "36601d"]),
    "DRAIN_DELAY": ([0, "0s", "1s"], ["0m", "5"]),
    "LISTEN": (["0.0.0.0:65535", "[::]:1", "127.0.0.1:80"], ["0.0.0.0:65536", "256.0.0.0:80", "0.0.0:80", "8080"]),
    "MAX_CONNECTIONS": ([1, 1000000], [0, 1000001]),
    "OTEL_EXPORTER_OTLP_ENDPOINT": (["http://a", "https://a:1/b"], ["http://", "https://a b", "a:4317"]),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": (["http://a", "https://a:1/v1/traces"], ["http://", "https://a b", "a:4317"]),
    "OTEL_TRACES_SAMPLER_ARG": ([0, 1, "0.5"], [1.5, -0.5, "x"]),
    "PASS_MAX_TTL": (["1s", "36600d"], ["0s", "36601d"]),
    "RATE_LIMIT_CLIENT": (["1/s", "999999999/h"], ["0/s", "4294967296/m", "30/d"]),
    "RATE_LIMIT_OPERATOR": (["1/s"], ["0/s"]),
    "RATE_LIMIT_REFUSED": (["1/s"], ["0/s"]),
    "SENDERS": (["viber=A,7=B, Widget = c d", {"viber": "A"}], ["vibr=A", "viber=", "viber", {"vibr": "A"}, {"viber": "Acme, Inc."}]),
    "SHUTDOWN_TIMEOUT": (["1s", "99999m"], ["0s"]),
    "SUPPORT_CONTACT": (["a" * 200, LETTER * 200], ["a" * 201, LETTER * 201, "two\nlines"]),
    "TOKEN_CACHE_SIZE": ([1, 9007199254740991], [0, 1e20]),
    "TOKEN_REUSE": ([0, "1s", "36600d"], ["5", "36601d"]),
    "TOKEN_TTL": (["1m", "60s", "23h55m", "23h 54m 60s"], ["59s", "59s 999ms", "23h 55m 1ms", "1d", "0s"]),
    "TRUSTED_PROXIES": (["10.0.0.0/8"], ["10.0.0.0/33", "proxy"]),
    "WIDGET_FRAME_ANCESTORS": (["self", "none", "https://*.a:8443, self"], ["http://a.b", "crm.example"]),
    "WIDGET_SESSION": (["1s", "36600d"], ["0s", "36601d"]),
    "WIDGET_SOURCES": (["none", "wss://*.a"], ["crm.example", "self"]),
}


def refused(environment):
    """The variables that the program refuses. Without ACCESS it always stops."""
    # A ratio is looked at with the sampler that takes one.
    tracing = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    environment = {**tracing, **environment}
    environment.pop("ACCESS", None)
    run = subprocess.run([PROGRAM, "serve"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 78, run.stdout + run.stderr
    names = {line.removeprefix("open-chat: ").split(":")[0] for line in (run.stdout + run.stderr).splitlines()}
    assert "ACCESS" in names, run.stderr
    return names - {"ACCESS"}


def rendered(objects):
    """The environment of the service's container, less what must be there as a file."""
    variables = {variable["name"]: variable.get("value", "") for variable in container(objects)["env"]}
    return {name: value for name, value in variables.items() if not name.endswith("_FILE")}


class Bounds(unittest.TestCase):
    def test_what_the_chart_takes_the_service_takes(self):
        for index in range(max(len(taken) for taken, _ in BOUNDS.values())):
            config = {name: taken[index] for name, (taken, _) in BOUNDS.items() if index < len(taken)}
            with values_file({"config": config}) as file:
                environment = rendered(template(mode("open"), file))
            self.assertLessEqual(set(config), set(environment))
            self.assertEqual(refused(environment) & set(config), set(), config)

    def test_what_the_service_refuses_the_chart_refuses_by_name(self):
        for index in range(max(len(wrong) for _, wrong in BOUNDS.values())):
            config = {name: wrong[index] for name, (_, wrong) in BOUNDS.items() if index < len(wrong)}
            environment = {name: text(value) for name, value in config.items()}
            self.assertEqual(set(config) - refused(environment), set(), config)
            for name, value in config.items():
                with self.subTest(name=name, value=value), values_file({"config": {name: value}}) as file:
                    run = helm("template", RELEASE, CHART, "--values", mode("open"), "--values", file)
                    self.assertNotEqual(run.returncode, 0)
                    self.assertIn(name, run.stderr)

    def test_what_the_modes_render_the_service_takes(self):
        for values in MODES:
            environment = rendered(template(values))
            self.assertEqual(refused(environment) & set(environment), set(), values.name)

    def test_a_secret_is_as_long_as_the_service_wants_it(self):
        for name, least in {"PASS_SECRET": 32, "SSO_PROXY_SECRET": 16}.items():
            for length, is_taken in [(least, True), (least - 1, False)]:
                secret = "c" * length
                access = {"ACCESS": "pass,sso", "SSO_HEADER": "X-User", "TRUSTED_PROXIES": "10.0.0.0/8"}
                good = {"PASS_SECRET": "c" * 32, "SSO_PROXY_SECRET": "c" * 16}
                run = subprocess.run([PROGRAM, "serve"], env={**access, **good, name: secret}, capture_output=True, text=True, check=False)
                lines = (run.stdout + run.stderr).removeprefix("open-chat: ").splitlines()
                self.assertEqual(name not in {line.split(":")[0] for line in lines}, is_taken, lines)
                plain = yaml.safe_load(mode("everything-on" if name == "SSO_PROXY_SECRET" else "redis").read_text())
                with values_file(changed(plain, {"secrets": {name: secret}})) as file:
                    run = helm("template", RELEASE, CHART, "--values", file)
                self.assertEqual(run.returncode == 0, is_taken, run.stderr)
                self.assertEqual(name in run.stderr, not is_taken)

    def test_the_service_takes_connectors_as_the_chart_mounts_them(self):
        """And what the chart refuses of them the service refuses, by the same name."""
        given = yaml.safe_load(mode("connectors").read_text())["connectors"]
        with tempfile.TemporaryDirectory() as directory:
            for name, text in {"connectors.toml": given["toml"], **given["files"]}.items():
                (pathlib.Path(directory) / name).write_text(text.replace("/etc/open-chat-connectors", directory))
            good = {
                "ACCESS": "pass",
                "PASS_SECRET": "c" * 32,
                "PUBLIC_URL": "https://chat.example.com",
                "CONNECTORS_FILE": f"{directory}/connectors.toml",
            }
            self.assertEqual(self.stops(good), {"CHATHUB_LOGIN"})
            self.assertEqual(self.stops({**good, "PUBLIC_URL": ""}), {"CHATHUB_LOGIN", "PUBLIC_URL"})
            sso = {"ACCESS": "sso", "SSO_HEADER": "X-User", "TRUSTED_PROXIES": "10.1.2.3"}
            self.assertEqual(self.stops({**good, **sso}), {"CHATHUB_LOGIN", "ACCESS"})
            (pathlib.Path(directory) / "kommo").unlink()
            self.assertEqual(self.stops(good), {"CHATHUB_LOGIN", "CONNECTORS_FILE"})

    def stops(self, environment):
        """The variables that the program names when it does not start."""
        run = subprocess.run([PROGRAM, "serve"], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 78, run.stdout + run.stderr)
        return {line.removeprefix("open-chat: ").split(":")[0] for line in (run.stdout + run.stderr).splitlines()}

    def test_every_setting_with_a_bound_is_here(self):
        """A new one is shown to both, or is a choice, a file or free."""
        free = {"CHAT_PANEL_URL", "DEFAULT_REGION", "OPS_LISTEN", "PUBLIC_URL", "RUST_LOG", "SSO_HEADER", "WIDGET_URL"}
        choices = ("switch", "file")
        for name, part in SCHEMA["properties"]["config"]["properties"].items():
            if "enum" not in part and part.get("$ref", "").rpartition("/")[2] not in choices:
                self.assertIn(name, BOUNDS.keys() | free)


def text(value):
    if isinstance(value, dict):
        return ",".join(f"{name}={sender}" for name, sender in value.items())
    return str(value)


if __name__ == "__main__":
    unittest.main()
