"""Runs the real helm, 3 and 4, on the chart."""

import contextlib
import pathlib
import re
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "helm/open-chat"
HELMS = [ROOT / f"target/tools/helm-{major}/helm/helm" for major in (3, 4)]
NEWEST = HELMS[-1]
RELEASE = "buttons"

# The oldest that Chart.yaml allows, to the newest that there is a release of.
KUBERNETES = [f"1.{minor}" for minor in range(28, 36)]

MODES = sorted((CHART / "ci").glob("*-values.yaml"))


def mode(name):
    """The values of a mode."""
    return CHART / f"ci/{name}-values.yaml"


@contextlib.contextmanager
def values_file(values):
    """A file with these values, to put on top of a mode's."""
    with tempfile.NamedTemporaryFile("w") as file:
        yaml.safe_dump(values, file)
        file.flush()
        yield file.name


def helm(*arguments, binary=NEWEST):
    """Runs helm; the caller looks at its exit code."""
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def template(*values, kubernetes="1.33", namespace="default", binary=NEWEST):
    """The chart's objects with these files of values."""
    files = [argument for value in values for argument in ("--values", value)]
    run = helm("template", RELEASE, CHART, "--kube-version", kubernetes, "--namespace", namespace, *files, binary=binary)
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def one(objects, kind, ending=""):
    """The one object of a kind whose name ends so."""
    found = [o for o in objects if o["kind"] == kind and o["metadata"]["name"].endswith(ending)]
    assert len(found) == 1, f"{len(found)} of {kind} {ending}"
    return found[0]


def container(objects):
    """The service's container."""
    return one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def notes(*values):
    """What helm says after it has installed with these files of values."""
    files = [argument for value in values for argument in ("--values", value)]
    run = helm("install", RELEASE, CHART, "--dry-run=client", *files)
    assert run.returncode == 0, run.stderr
    return run.stdout.split("\nNOTES:\n")[1]


def table(page, heading):
    """The rows of the table under a heading of a page of docs/, less the code marks."""
    document = (ROOT / "docs" / page).read_text()
    section = document.split(f"\n{heading}\n")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]
