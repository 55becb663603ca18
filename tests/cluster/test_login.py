"""The recipes for a login in docs/proxies/kubernetes, as they stand."""

import contextlib
import os
import pathlib
import unittest

import yaml
from answers import serving
from cluster import ADDRESS, PROVIDER, PROVIDER_PORT
from kube import AUTHORITY, HELMS, ROOT, Namespace, curl, in_cluster, until

FOLDER = ROOT / "docs/proxies/kubernetes"
HOST = "chats.example.com"
SECRETS = {"client-secret": "canary-client-secret", "cookie-secret": "canary-cookie-secret-of-32-bytes"}
PROXY_SECRET = "canary-proxy-secret"
CLICK = "/open-chat?phone=%2B380501234567"


# What an OpenID provider says of itself, which is all that is asked before a login.
OF_ITSELF = {
    "issuer": f"https://{PROVIDER}",
    "authorization_endpoint": f"https://{PROVIDER}/auth",
    "token_endpoint": f"https://{PROVIDER}/token",
    "jwks_uri": f"https://{PROVIDER}/jwks",
    "id_token_signing_alg_values_supported": ["RS256"],
    "code_challenge_methods_supported": ["S256"],
}


def here(container):
    """oauth2-proxy as it was built here, which knows this cluster's authority."""
    assert container["image"].startswith("quay.io/oauth2-proxy/oauth2-proxy:v7"), container["image"]
    container["image"] = "localhost/oauth2-proxy:1"
    # The image's own variables, which the chart's ci/ file needs, would win over a file's settings.
    provider = {"name": "OAUTH2_PROXY_PROVIDER", "value": "oidc"}
    container["env"] = [{"name": "SSL_CERT_FILE", "value": AUTHORITY}, provider]
    container["volumeMounts"].append({"name": "chathub-authority", "mountPath": "/etc/ssl/chathub", "readOnly": True})


def with_authority(pod):
    (container,) = pod["containers"]
    here(container)
    pod["volumes"].append({"name": "chathub-authority", "configMap": {"name": "chathub-authority"}})


def give_certificate(space):
    """What the recipes' Ingresses name."""
    folder = pathlib.Path(os.environ["CLUSTER"])
    files = {"tls.crt": (folder / "server.crt").read_text(), "tls.key": (folder / "server.key").read_text()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chats-tls"}, "type": "kubernetes.io/tls"}
    space.apply(secret | {"stringData": files})


def through_traefik(path, *headers):
    named = [option for header in headers for option in ("--header", header)]
    return curl("--insecure", "--header", f"Host: {HOST}", *named, f"https://{ADDRESS}{path}")


class Recipes(unittest.TestCase):
    def setUp(self):
        self.enterContext(serving(lambda _: (200, OF_ITSELF), PROVIDER_PORT))

    def test_a_click_is_led_to_the_provider_and_no_header_is_believed(self):
        with Namespace() as space:
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            space.secret("open-chat-login", SECRETS)
            values = in_cluster(yaml.safe_load((FOLDER / "sidecar-values.yaml").read_text()))
            (login,) = values["extraContainers"]
            here(login)
            give_certificate(space)
            space.install(HELMS[1], "open-chat", values)
            host = ("--insecure", "--header", f"Host: {HOST}")
            until("the Ingress counts", lambda: curl(*host, f"https://{ADDRESS}{CLICK}").startswith("302 "))
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

    @contextlib.contextmanager
    def oauth2_proxy(self):
        """A namespace with the recipe's oauth2-proxy, led to by its Ingress."""
        deployment, service, ingress = yaml.safe_load_all((FOLDER / "oauth2-proxy.yaml").read_text())
        with_authority(deployment["spec"]["template"]["spec"])
        with Namespace() as space:
            space.config_map("oauth2-proxy", {"oauth2-proxy.cfg": (ROOT / "docs/proxies/oauth2-proxy.cfg").read_text()})
            space.secret("open-chat-login", SECRETS)
            give_certificate(space)
            space.apply(deployment, service, ingress)
            space.kubectl("rollout", "status", "deployment/oauth2-proxy", "--timeout=600s")
            until("the Ingress counts", lambda: through_traefik("/oauth2/auth") == "401 ")
            yield space

    def test_oauth2_proxy_beside_an_ingress_controller(self):
        with self.oauth2_proxy() as space:
            place = space.address("oauth2-proxy")
            self.assertEqual(curl(f"{place}/oauth2/auth"), "401 ")
            self.assertRegex(curl(f"{place}/oauth2/start?rd=/open-chat"), r"^302 https://login\.example\.test/auth\?")

    def test_traefik_asks_oauth2_proxy_who_clicks(self):
        with self.oauth2_proxy() as space:
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            space.secret("proxy", {"secret": PROXY_SECRET})

            def recipe(name):
                text = (FOLDER / name).read_text().replace("NAMESPACE", space.name)
                # This Traefik is no pod, and does not know the cluster's names.
                text = text.replace(f"http://oauth2-proxy.{space.name}.svc.cluster.local", space.address("oauth2-proxy"))
                return yaml.safe_load_all(text.replace("THE-SECRET", PROXY_SECRET))

            (values,) = recipe("traefik-values.yaml")
            space.install(HELMS[1], "open-chat", in_cluster(values))
            # Where Traefik does not ask, it leads to nothing.
            until("there is no such middleware", lambda: through_traefik(CLICK) == "404 ")
            space.apply(*recipe("traefik.yaml"))
            until("Traefik asks", lambda: through_traefik(CLICK).startswith("302 "))
            for forged in (
                (),
                ("X-Auth-Request-Email: ann@example.com",),
                ("X-Auth-Request-Email: ann@example.com", f"X-Proxy-Secret: {PROXY_SECRET}"),
            ):
                with self.subTest(forged):
                    self.assertRegex(through_traefik(CLICK, *forged), r"^302 https://login\.example\.test/auth\?")
            # Not through Traefik: the name alone says nothing.
            named = ("--header", "X-Auth-Request-Email: ann@example.com")
            self.assertEqual(curl(*named, space.address("open-chat") + CLICK), "401 ")
