"""The chart as a package: what a stranger who has the archive alone finds in it."""

import json
import pathlib
import re
import tarfile
import tempfile
import unittest

import yaml
from helm import CHART, HELMS, ROOT, helm, one, template
from schemas import problems
from test_values import SCHEMA, VALUES

META = yaml.safe_load((CHART / "Chart.yaml").read_text())
README = (CHART / "README.md").read_text()


def comments():
    """What values.yaml says of each value, `# -- …` and the lines after it, by the value's path."""
    found, path, words = {}, [], []
    for line in (CHART / "values.yaml").read_text().splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            words = [re.sub(r"^\(\S+\) ", "", text.removeprefix("# -- "))]
        elif text.startswith("# ") and words:
            words.append(text.removeprefix("# "))
        elif key := re.match(r"( *)([A-Za-z_0-9]+):", line):
            path = [*path[: len(key[1]) // 2], key[2]]
            if words:
                found[".".join(path)] = " ".join(words)
            words = []
        else:
            words = []
    return found


def value(path):
    """The default of a value."""
    found = VALUES
    for name in path.split("."):
        found = found[name]
    return found


def rows():
    """The rows of the README's tables of values."""
    section = README.split("\n## Values\n")[1].split("\n## ")[0]
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| `")]
    return [(name.strip("`"), default.strip("`"), meaning) for name, default, meaning in cells]


class Package(unittest.TestCase):
    def test_every_value_has_a_comment_of_its_own_or_of_the_whole(self):
        said = comments()

        def look(schema, values, path=""):
            for name in values:
                part, full = schema["properties"][name], f"{path}{name}"
                if "properties" in part and full not in said:
                    look(part, values[name], f"{full}.")
                else:
                    self.assertIn(full, said)

        look(SCHEMA, VALUES)

    def test_the_readme_has_each_value_as_values_yaml_has_it(self):
        documented = rows()
        said = comments()
        self.assertEqual(sorted(name for name, _, _ in documented), sorted(said), "run `make chart-readme`")
        for name, default, meaning in documented:
            with self.subTest(name=name):
                self.assertEqual(json.loads(default), value(name), "run `make chart-readme`")
                self.assertEqual(meaning, said[name], "run `make chart-readme`")

    def test_the_readme_is_as_its_template_says(self):
        """All but what helm-docs fills in, which the other tests hold."""
        template = (CHART / "README.md.gotmpl").read_text().split("{{- end -}}\n\n")[1]
        template = template.replace("{{ .Home }}", META["home"]).replace("{{ .KubeVersion }}", META["kubeVersion"])
        template = template.replace('{{ template "chart.description" . }}', META["description"])
        pieces = [piece.strip() for piece in re.split(r"\{\{ template [^}]*\}\}", template)]
        self.assertGreater(len(pieces), 6)
        for piece in pieces:
            self.assertIn(piece, README, "run `make chart-readme`")
        self.assertNotIn("{{", README)

    def test_the_readme_s_values_are_values(self):
        (block,) = [block.split("```")[0] for block in README.split("```yaml\n")[1:]]
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(block)
            file.flush()
            objects = template(file.name)
        for manifest in objects:
            self.assertEqual(problems(manifest, "1.33"), [])
        self.assertEqual(one(objects, "Ingress")["spec"]["rules"][0]["host"], "chat.example.com")

    def test_the_archive_has_what_a_stranger_looks_for(self):
        for binary in HELMS:
            with self.subTest(helm=binary.parts[-3]), tempfile.TemporaryDirectory() as directory:
                run = helm("package", CHART, "--destination", directory, binary=binary)
                self.assertEqual(run.returncode, 0, run.stderr)
                (archive,) = pathlib.Path(directory).iterdir()
                with tarfile.open(archive) as tar:
                    names = {name.removeprefix("open-chat/") for name in tar.getnames()}
                    self.assertEqual(tar.extractfile("open-chat/LICENSE").read(), (ROOT / "LICENSE").read_bytes())
                self.assertLessEqual({"Chart.yaml", "values.yaml", "values.schema.json", "README.md", "LICENSE", "files/dashboard.json"}, names)
                # What is for those who work on the chart.
                self.assertEqual([name for name in names if name.startswith(("ci/", ".")) or name.endswith(".gotmpl")], [])
                run = helm("show", "readme", archive, binary=binary)
                self.assertEqual(run.stdout.strip(), README.strip())
                run = helm("lint", "--strict", archive, "--set", "simulator.enabled=true", binary=binary)
                self.assertNotIn("[INFO]", run.stdout)

    def test_the_chart_says_whose_it_is(self):
        home = META["home"]
        self.assertEqual(META["sources"], [home])
        for maintainer in META["maintainers"]:
            self.assertTrue(maintainer["name"])
        self.assertTrue((ROOT / META["icon"].removeprefix(f"{home}/")).is_file(), META["icon"])
        annotations = META["annotations"]
        cargo = (ROOT / "Cargo.toml").read_text()
        self.assertIn(f'\nlicense = "{annotations["artifacthub.io/license"]}"\n', cargo)
        (image,) = yaml.safe_load(annotations["artifacthub.io/images"])
        self.assertEqual(image["image"], f"{VALUES['image']['repository']}:{META['appVersion']}")
        for change in yaml.safe_load(annotations["artifacthub.io/changes"]):
            self.assertIn(change["kind"], {"added", "changed", "deprecated", "removed", "fixed", "security"})
            self.assertTrue(change["description"])
        for link in yaml.safe_load(annotations["artifacthub.io/links"]):
            self.assertTrue(link["url"].startswith(home), link)

    def test_nothing_in_the_archive_leads_to_a_file_that_is_not_in_it(self):
        """But by its address, and then to a page and a heading that are there."""
        home, links = META["home"], 0
        for path in CHART.rglob("*"):
            if not path.is_file() or "ci" in path.parts:
                continue
            text = path.read_text()
            text = text.replace("{{ .Home }}", home).replace('{{ include "open-chat.source" . }}', home).replace("%s/docs/", f"{home}/docs/")
            for before, page, anchor in re.findall(r"(\S*?)((?:docs|helm|src|tests)/[-\w/.]+\.\w+)#?([-\w]*)", text):
                # The words for an address that is set, and how the chart puts it.
                if before == "`" or ("open-chat.source" in text and before == "}}/"):
                    continue
                with self.subTest(file=path.name, page=page):
                    self.assertTrue(before.endswith(f"{home}/"), f"{before}{page}")
                    document = ROOT / page
                    self.assertTrue(document.is_file())
                    if anchor and page.endswith(".md"):
                        headings = [line.lstrip("# ") for line in document.read_text().splitlines() if line.startswith("#")]
                        slugs = {re.sub(r"[^-\w ]", "", heading.lower()).replace(" ", "-") for heading in headings}
                        self.assertIn(anchor, slugs)
                    links += 1
        self.assertGreater(links, 40)


if __name__ == "__main__":
    unittest.main()
