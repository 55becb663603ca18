"""What scanners find in the repository, in the chart's manifests and in the image.

scan.py IMAGE.tar     exits with 1 where there is a finding that accepted.toml does not accept, or
                      where accepted.toml accepts what is not found any more
scan.py --write       writes accepted.toml's table into docs/scanners.md

The scanners are those that tests/scan/tools.sh installs. None of them asks the network.
"""

import collections
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).parents[2]
TOOLS = ROOT / "target/scan"
MANIFESTS = TOOLS / "manifests"
SOURCE = TOOLS / "source"
HELM = ROOT / "target/tools/helm-4/helm/helm"
ACCEPTED = ROOT / "tests/scan/accepted.toml"
PAGE = ROOT / "docs/scanners.md"
# The rules that are built into trivy, without asking for newer ones.
TRIVY_CHECKS = ["--skip-check-update"]
# Those that ask for their text, or for the source of their own files.
HARMLESS_LICENCES = {"notice", "permissive", "unencumbered", "reciprocal"}
BEGIN, END = "<!-- accepted: begin -->", "<!-- accepted: end -->"

# `rule` begins with the scanner's name; `place` is a file, an object or a container.
Finding = collections.namedtuple("Finding", "rule place text")


def run(*command, failures=(1,), **environment):
    """The output of a command that may exit with 0, or as scanners do that have found something."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False, capture_output=True, text=True, env=os.environ | environment)
    if done.returncode not in {0, *failures}:
        sys.exit(f"{command[0]} has failed with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def render():
    """The chart's manifests, as each example of it has them."""
    shutil.rmtree(MANIFESTS, ignore_errors=True)
    MANIFESTS.mkdir(parents=True)
    for values in sorted((ROOT / "helm/open-chat/ci").glob("*-values.yaml")):
        manifests = run(HELM, "template", "buttons", ROOT / "helm/open-chat", "--namespace", "chats", "--values", values, failures=())
        (MANIFESTS / f"{values.name.removesuffix('-values.yaml')}.yaml").write_text(manifests)


def copy():
    """The repository without what is built in it, which scanners would look at, too."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name in run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", failures=()).split("\0"):
        if (ROOT / name).is_file():
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, SOURCE / name)


def checkov():
    """The manifests; and of the repository the Dockerfile, the workflows, OpenAPI and secrets."""
    program = [TOOLS / "python/bin/checkov", "--skip-download", "--compact", "--output", "json"]
    repository = ["--directory", SOURCE, "--framework", "dockerfile", "github_actions", "openapi", "secrets"]
    for options in (["--directory", MANIFESTS, "--framework", "kubernetes"], repository):
        reports = json.loads(run(*program, *options))
        for report in reports if isinstance(reports, list) else [reports]:
            for failed in report["results"]["failed_checks"]:
                place = relative(failed["file_path"])
                if report["check_type"] == "kubernetes":
                    kind, _, name = failed["resource"].split(".", 2)
                    place = f"{pathlib.Path(place).stem} {kind}/{name}"
                yield Finding(f"checkov {failed['check_id']}", place, failed["check_name"])


def kube_score():
    for manifest in sorted(MANIFESTS.glob("*.yaml")):
        for thing in json.loads(run(TOOLS / "bin/kube-score", "score", "--output-format", "json", manifest)):
            place = f"{manifest.stem} {thing['type_meta']['kind']}/{thing['object_meta']['name']}"
            for check in thing["checks"]:
                # 10 is "all well", 7 "almost".
                if check["skipped"] or check["grade"] >= 10:
                    continue
                for comment in check["comments"] or [{"path": "", "summary": check["check"]["name"]}]:
                    yield Finding(
                        f"kube-score {check['check']['id']}: {comment['summary']}",
                        f"{place} {comment['path']}".strip(),
                        check["check"]["comment"],
                    )


def trivy():
    """Manifests, Dockerfile, licences; and secrets: with trivy-secret.yaml none, without these."""
    yield from trivy_findings("config", *TRIVY_CHECKS, MANIFESTS)
    # The chart is rendered above, and what stands around the service in tests/ is not for use.
    yield from trivy_findings("config", *TRIVY_CHECKS, "--skip-dirs", "helm,tests", SOURCE)
    yield from trivy_findings("fs", "--scanners", "secret,license", "--secret-config", "none", SOURCE)
    if list(trivy_findings("fs", "--scanners", "secret", SOURCE)):
        sys.exit("trivy-secret.yaml does not name all that trivy takes for a secret")


def trivy_findings(command, *options):
    report = run(TOOLS / "bin/trivy", "--quiet", "--format", "json", command, "--skip-version-check", *options)
    for result in json.loads(report).get("Results", []):
        for wrong in result.get("Misconfigurations", []):
            yield Finding(f"trivy {wrong['ID']}", trivy_place(result["Target"], wrong["Message"]), wrong["Title"])
        for secret in result.get("Secrets", []):
            yield Finding(f"trivy {secret['RuleID']}", relative(result["Target"]), secret["Title"])
        for licence in result.get("Licenses", []):
            if licence["Category"] not in HARMLESS_LICENCES:
                place = licence["FilePath"] or licence["PkgName"]
                yield Finding(f"trivy {licence['Name']}", place, f"licence: {licence['Category']}")


def trivy_place(target, message):
    """An object of the chart, where the message names it, else the file."""
    named = re.match(r"(?:Container '([^']*)' of )?(\w+) '([^']*)'", message)
    example = target.removesuffix(".yaml")
    return f"{example} {named[2]}/{named[3]} {named[1] or ''}".strip() if named else relative(target)


def gitleaks():
    """Secrets, in all that was ever committed: with .gitleaks.toml none, without it these."""
    report = TOOLS / "gitleaks.json"
    program = [TOOLS / "bin/gitleaks", "git", "--no-banner", "--redact", "--report-path", report]
    run(*program, ".", failures=())
    run(*program, ".", GITLEAKS_CONFIG_TOML="[extend]\nuseDefault = true\n")
    for leak in json.loads(report.read_text()):
        yield Finding(f"gitleaks {leak['RuleID']}", leak["File"], f"{leak['Description']} ({leak['Commit'][:12]}, line {leak['StartLine']})")


def image(archive):
    for detail in json.loads(run(TOOLS / "bin/dockle", "--format", "json", "--input", archive))["details"]:
        if detail["level"] not in ("PASS", "SKIP", "IGNORE"):
            for alert in detail["alerts"]:
                yield Finding(f"dockle {detail['code']}", "image", f"{detail['title']}: {alert}")
    scanners = ["--scanners", "secret,license,misconfig", "--image-config-scanners", "misconfig,secret"]
    for found in trivy_findings("image", *TRIVY_CHECKS, "--offline-scan", *scanners, "--input", archive):
        yield found._replace(place="image")


def relative(path):
    return str(path).removeprefix(f"{SOURCE}").removeprefix(f"/{SOURCE.relative_to(ROOT)}").lstrip("/")


def accepts(entry, found):
    return found.rule in entry["rules"] and any(fnmatch.fnmatchcase(found.place, where) for where in entry["where"])


def compare(findings, entries):
    """What is found and not accepted, and what is accepted and not found: a line each."""
    for found in sorted(set(findings)):
        if not any(accepts(entry, found) for entry in entries):
            yield f"new: {found.rule}, in {found.place}: {found.text}"
    for entry in entries:
        for rule in entry["rules"]:
            if not any(accepts(entry, found) and found.rule == rule for found in findings):
                yield f"accepted.toml: {entry['title']}: {rule} is not found any more; take it out"
        for where in entry["where"]:
            if not any(accepts(entry | {"where": [where]}, found) for found in findings):
                yield f"accepted.toml: {entry['title']}: nothing is found in {where} any more; take it out"


def table(entries):
    rows = ["| what they find | why it is so | rules |", "| --- | --- | --- |"]
    for entry in entries:
        rules = "<br>".join(f"`{rule}`" for rule in entry["rules"])
        rows.append(f"| {entry['title']} | {entry['reason']} | {rules} |")
    return "\n".join(rows)


def main(argument):
    entries = tomllib.loads(ACCEPTED.read_text())["accepted"]
    before, rest = PAGE.read_text().split(BEGIN)
    page = f"{before}{BEGIN}\n{table(entries)}\n{END}{rest.split(END)[1]}"
    if argument == "--write":
        PAGE.write_text(page)
        return
    render()
    copy()
    findings = [*checkov(), *kube_score(), *trivy(), *gitleaks(), *image(argument)]
    wrong = list(compare(findings, entries))
    if page != PAGE.read_text():
        wrong.append("docs/scanners.md is not what accepted.toml says: tests/scan/scan.py --write")
    counts = collections.Counter(found.rule.split()[0] for found in findings)
    print("scan.py: " + ", ".join(f"{tool} {count}" for tool, count in sorted(counts.items())) + " findings")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1])
