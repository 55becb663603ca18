"""Checks objects as strictly as Kubernetes would: a field that a schema does not know is an error,
and so is a kind without a schema."""

import functools
import importlib.resources
import json
import re
import subprocess

from cloudcoil.models.prometheus_operator import v1 as prometheus
from helm import ROOT
from jsonschema.validators import Draft202012Validator
from referencing import Registry, Resource

# What the chart may consist of.
KINDS = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Pod": "v1",
    "PodDisruptionBudget": "policy/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
}


def problems(manifest, kubernetes):
    """What is wrong with an object, a sentence each."""
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    if KINDS.get(kind) != version:
        return [f"{version} {kind} is not among the kinds of the chart"]
    errors = validator(kind, version, kubernetes).iter_errors(manifest)
    return [f"{kind} {'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


@functools.cache
def validator(kind, version, kubernetes):
    if kind in ("ServiceMonitor", "PrometheusRule"):
        return Draft202012Validator(closed(getattr(prometheus, kind).model_json_schema()))
    if kind == "HTTPRoute":
        return Draft202012Validator(closed(http_route()))
    # networking.k8s.io/v1 → networking-v1
    name = f"{kind.lower()}-{re.sub(r'[.][^/]*', '', version).replace('/', '-')}"
    definitions = Resource.from_contents(builtin(kubernetes, "_definitions"))
    return Draft202012Validator(builtin(kubernetes, name), registry=definitions @ Registry())


@functools.cache
def builtin(kubernetes, name):
    directory = f"kubernetes-json-schema/v{kubernetes}.0-local-strict"
    return json.loads(importlib.resources.files("kubernetes_validate").joinpath(directory, f"{name}.json").read_text())


def http_route():
    """The schema in the generated module; the module's own check lets unknown fields pass."""
    models = ROOT / "target/tools/node/node_modules/@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute.js"
    text = models.read_text().split("const schema = ", 1)[1].split(";\n/**", 1)[0]
    # The text is JavaScript's, which JSON is a part of; node reads it as what it is.
    run = subprocess.run(["node", "--print", f"JSON.stringify({text})"], capture_output=True, text=True, check=True)
    schema = json.loads(run.stdout)
    # Every object's metadata; Kubernetes' schemas have it in full.
    schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    return schema


def closed(schema):
    """The schema, with an end to each list of fields."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(part) for key, part in schema.items()}
    if schema.get("properties") and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
    # An option in the middle is Go's; JSON Schema's expressions have none.
    if isinstance(schema.get("pattern"), str):
        schema["pattern"] = schema["pattern"].replace("(?i)", "")
    return schema
