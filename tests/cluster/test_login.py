"""The recipe for a login in the pod, docs/proxies/kubernetes/sidecar-values.yaml, as it stands."""

import http.server
import json
import threading
import unittest

import yaml
from cluster import ADDRESS, PROVIDER, PROVIDER_PORT
from kube import AUTHORITY, HELMS, ROOT, Namespace, curl, in_cluster

HOST = "chats.example.com"
CLICK = "/open-chat?phone=%2B380501234567"


class Provider(http.server.BaseHTTPRequestHandler):
    """What an OpenID provider says of itself, which is all that is asked before a login."""

    def do_GET(self):
        body = json.dumps(
            {
                "issuer": f"https://{PROVIDER}",
                "authorization_endpoint": f"https://{PROVIDER}/auth",
                "token_endpoint": f"https://{PROVIDER}/token",
                "jwks_uri": f"https://{PROVIDER}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def recipe():
    """The recipe with this cluster's image and authority in it."""
    values = in_cluster(yaml.safe_load((ROOT / "docs/proxies/kubernetes/sidecar-values.yaml").read_text()))
    (login,) = values["extraContainers"]
    assert login["image"].startswith("quay.io/oauth2-proxy/oauth2-proxy:v7")
    login["image"] = "localhost/oauth2-proxy:1"
    login["env"] = [{"name": "SSL_CERT_FILE", "value": AUTHORITY}]
    login["volumeMounts"].append({"name": "chathub-authority", "mountPath": "/etc/ssl/chathub", "readOnly": True})
    return values


class Sidecar(unittest.TestCase):
    def setUp(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", PROVIDER_PORT), Provider)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def test_a_click_is_led_to_the_provider_and_no_header_is_believed(self):
        with Namespace() as space:
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            secrets = {"client-secret": "canary-client-secret", "cookie-secret": "canary-cookie-secret-of-32-bytes"}
            space.secret("open-chat-login", secrets)
            space.install(HELMS[1], "open-chat", recipe())
            self.assertEqual(len(space.pods("open-chat")), 2)
            for named in ("", "X-Forwarded-Email: ann@example.com", "X-Auth-Request-Email: ann@example.com"):
                for place in (space.address("open-chat"), f"https://{ADDRESS}"):
                    with self.subTest(header=named, place=place):
                        said = curl("--insecure", "--header", f"Host: {HOST}", "--header", named or "X: 1", place + CLICK)
                        self.assertRegex(said, r"^302 https://login\.example\.test/auth\?.*code_challenge_method=S256")
            # Not beside the login.
            for pod in space.pods("open-chat"):
                self.assertEqual(curl("--max-time", "5", f"http://{pod['status']['podIP']}:8080{CLICK}"), "000 ")
            self.assertNotIn("501234567", space.kubectl("logs", "deployment/open-chat", "--all-containers"))
