"""Secrets and maps that are changed in place: they count in each pod, and nothing restarts."""

import json
import re
import time
import unittest
import urllib.error
import urllib.request

from kube import CHART, HELMS, Namespace, in_cluster, until
from passes import signed

OLD = "canary-old-secret-of-32-bytes-or-more"
NEW = "canary-new-secret-of-32-bytes-or-more"
# `printf %s canary-old-api-key | sha256sum`, and that of canary-new-api-key.
OLD_API_KEY = "314e05eabd5b16b9c73815f1620740842f0daffee86116b9970aabacae31f863"
NEW_API_KEY = "8af7a2a313dc9d590fa7a16707e7b5acbcf4110532abfb75d0db316a3c259948"
# What the service derives of these two secrets for its cookies, after RFC 5869.
DEVICE_SECRETS = ("canary-older-device-secret-of-32-bytes-too", "canary-device-secret-of-more-than-32-bytes")
COOKIE_KEYS = (
    "b5ffd8d0c88e6f7e0e49d10e2f5d8bd4d9e0ac2d9baf961cf251aafa1c5a0de4",
    "96e91d9fe8bf763007c374b2578712b09b7340b0cacea4efd1c7ed51c6421f93",
)
DEVICE = "7f3a0c5e41d24b4f8f3a1c2d3e4f5a6b"
ACCOUNT = "https://acme.kommo.com"
SERVICE = "https://chat.example.com"

VALUES = {
    "access": ["pass", "sso", "key", "device"],
    "config": {
        "PUBLIC_URL": SERVICE,
        "SSO_HEADER": "X-Auth-Request-Email",
        "TRUSTED_PROXIES": "10.244.0.0/16",
    },
    "existingSecrets": {
        "chathub": {"CHATHUB_LOGIN": "login", "CHATHUB_PASSWORD": "password"},
        "keys": {
            "PASS_KEYS_FILE": "pass-keys.toml",
            "API_KEYS_FILE": "api-keys.toml",
            "SSO_PROXY_SECRET": "proxy",
            "DEVICE_SECRET": "device",
        },
        "valkey": {"REDIS_URL": "url"},
    },
    "existingOperatorMap": "agents",
    "connectors": {"existingSecret": "crm-connectors"},
    "devices": {"existingRevoked": "ended-pairings"},
}


def now():
    return int(time.time())


def secrets_of(space, secret, api_key, proxy, device, kommo, redis):
    space.secret(
        "keys",
        {
            "pass-keys.toml": f'[[key]]\nid = "crm"\nalgorithm = "HS256"\nsecret = "{secret}"\n',
            "api-keys.toml": f'[[key]]\nname = "odoo"\nsha256 = "{api_key}"\n',
            "proxy": proxy,
            "device": device,
        },
    )
    connectors = f'[kommo]\naccounts = ["{ACCOUNT}"]\nsecret_file = "/etc/open-chat-connectors/kommo"\n'
    space.secret("crm-connectors", {"connectors.toml": connectors, "kommo": kommo})
    space.secret("valkey", {"url": f"redis://:{redis}@valkey:6379/0"})


class Pod:
    """A pod, asked at its own address. Each question is answered with a status."""

    def __init__(self, pod):
        self.ip = pod["status"]["podIP"]

    def ask(self, path, headers=(), body=None, port=8080):
        class Follow(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"http://{self.ip}:{port}{path}", data, dict(headers))
        try:
            with urllib.request.build_opener(Follow).open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def click(self, more="", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(f"/open-chat?phone=0501234567{more}", headers)[0]

    def a_pass(self, secret):
        return self.click("&pass=" + signed(secret, {"sub": "101", "exp": now() + 600}, kid="crm"))

    def api_key(self, key):
        body = {"operator": 101, "phone": "+380501234567"}
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return self.ask("/links", headers, body)[0]

    def sso(self, who, secret):
        return self.click(X_Auth_Request_Email=who, X_Proxy_Secret=secret)

    def device(self, number, operator=101):
        claims = {"device": DEVICE, "operator": operator, "invited_at": now(), "iat": now(), "exp": now() + 8_000_000}
        cookie = signed(bytes.fromhex(COOKIE_KEYS[number]), claims)
        fetch = {"Sec_Fetch_Dest": "document", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "cross-site"}
        return self.click(Cookie=f"__Host-open-chat-device={cookie}", **fetch)

    def kommo(self, secret):
        claims = {
            "iss": ACCOUNT, "aud": SERVICE, "jti": str(time.time_ns()), "iat": now(), "nbf": now(), "exp": now() + 1800,
            "account_id": 12345678, "subdomain": "acme", "client_uuid": "a8a5a5f0-0a0a-4d8e-9a54-0d5c2f1f7d3b",
            "user_id": 5, "is_admin": False,
        }  # fmt: skip
        headers = {"Origin": ACCOUNT, "X-Auth-Token": signed(secret, claims, typ="JWT")}
        return self.ask("/connect/kommo?phone=0501234567", headers)[0]

    def redis_degraded(self):
        metrics = self.ask("/metrics", port=9090)[1]
        return int(re.search(r"^open_chat_redis_degraded (\d)", metrics, re.MULTILINE)[1])

    def everything(self):
        """What each secret and map, old and new, opens."""
        return {
            "pass": (self.a_pass(OLD), self.a_pass(NEW)),
            "API key": (self.api_key("canary-old-api-key"), self.api_key("canary-new-api-key")),
            "proxy": (self.sso("ann@example.com", OLD), self.sso("ann@example.com", NEW)),
            "operator map": (self.sso("kim@example.com", OLD), self.sso("kim@example.com", NEW)),
            "device secret": (self.device(0), self.device(1)),
            "ended pairings": (self.device(0, 102), self.device(1, 102)),
            "Kommo": (self.kommo(OLD), self.kommo(NEW)),
            "Redis is degraded": self.redis_degraded(),
        }


BEFORE = {
    "pass": (302, 401),
    "API key": (201, 401),
    "proxy": (302, 401),
    "operator map": (403, 401),
    "device secret": (302, 401),
    "ended pairings": (302, 401),
    # What is good for one use cannot be kept count of.
    "Kommo": (503, 401),
    "Redis is degraded": 1,
}
AFTER = {
    "pass": (401, 302),
    "API key": (401, 201),
    "proxy": (401, 302),
    "operator map": (401, 302),
    "device secret": (401, 302),
    "ended pairings": (401, 401),
    "Kommo": (401, 200),
    "Redis is degraded": 0,
}


class Changes(unittest.TestCase):
    def identities(self, space):
        """The service's containers, and how often each was started again."""
        found = {pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0] for pod in space.pods("buttons")}
        return {uid: (status["containerID"], status["restartCount"]) for uid, status in found.items()}

    def test_each_secret_and_map_counts_without_a_restart(self):
        with Namespace() as space:
            space.apply_around()
            space.config_map("agents", {"operator-map.toml": '"ann@example.com" = 101\n"kommo-5" = 101\n'})
            space.config_map("ended-pairings", {"devices-revoked.toml": ""})
            secrets_of(space, OLD, OLD_API_KEY, OLD, DEVICE_SECRETS[0], OLD, "canary-wrong")
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            space.install(HELMS[1], "buttons", in_cluster(VALUES))
            before = self.identities(space)
            pods = [Pod(pod) for pod in space.pods("buttons")]
            self.assertEqual(len(pods), 2)
            for pod in pods:
                self.assertEqual(pod.everything(), BEFORE)

            agents = '"ann@example.com" = 101\n"kommo-5" = 101\n"kim@example.com" = 102\n'
            space.config_map("agents", {"operator-map.toml": agents})
            space.config_map("ended-pairings", {"devices-revoked.toml": "[[revoked]]\noperator = 102\n"})
            secrets_of(space, NEW, NEW_API_KEY, NEW, DEVICE_SECRETS[1], NEW, "canary-redis")
            for pod in pods:
                until(f"all of it counts: {AFTER}", lambda pod=pod: pod.everything() == AFTER, patience=600)
            self.assertEqual(self.identities(space), before)
            self.assertEqual({restarts for _, restarts in before.values()}, {0})
            log = space.kubectl("logs", "deployment/buttons-open-chat")
            self.assertIn("a changed file is in force", log)
            self.assertNotIn("canary", log)

    def test_a_wrong_password_heals_when_it_is_corrected(self):
        with Namespace() as space:
            space.apply_around()
            space.secret("keys", {"pass": OLD})
            space.secret("chathub", {"login": "acme", "password": "canary-wrong"})
            values = {
                "access": "pass",
                "existingSecrets": {
                    "chathub": {"CHATHUB_LOGIN": "login", "CHATHUB_PASSWORD": "password"},
                    "keys": {"PASS_SECRET": "pass"},
                },
            }
            space.helm(HELMS[1], "install", "buttons", CHART, values=in_cluster(values))
            said = until("the log says why", lambda: self.refusal(space))
            self.assertNotIn("canary", said)
            before = self.identities(space)
            self.assertEqual([Pod(pod).ask("/readyz", port=9090)[0] for pod in space.pods("buttons")], [503, 503])
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            space.kubectl("rollout", "status", "deployment/buttons-open-chat", "--timeout=600s")
            self.assertEqual([Pod(pod).ask("/readyz", port=9090)[0] for pod in space.pods("buttons")], [200, 200])
            self.assertEqual(self.identities(space), before)
            self.assertEqual([restarts for _, restarts in before.values()], [0, 0])

    @staticmethod
    def refusal(space):
        log = space.kubectl("logs", "--selector=app.kubernetes.io/instance=buttons", "--tail=-1")
        return log if "credentials" in log else ""
