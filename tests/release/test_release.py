"""The scripts that make a release, in copies of what they read."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
READ = ("Cargo.toml", "Cargo.lock", "CHANGELOG.md", "helm/open-chat/Chart.yaml", "tools/release/versions.sh", "tools/release/notes.sh")
VERSION = "0.2.0"


def run(*command):
    return subprocess.run(command, check=False, text=True, capture_output=True)


class Copy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in READ:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)

    def change(self, name, old, new):
        text = (self.root / name).read_text()
        self.assertIn(old, text)
        (self.root / name).write_text(text.replace(old, new, 1))

    def script(self, name, *arguments):
        return run(self.root / "tools/release" / name, *arguments)


class Versions(Copy):
    def test_they_agree(self):
        for arguments in ((), (f"v{VERSION}",)):
            done = self.script("versions.sh", *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_difference_is_named(self):
        for name, old, new, named in (
            ("Cargo.toml", 'chathub = { version = "0.2.0"', 'chathub = { version = "0.1.9"', "Cargo.toml, chathub"),
            ("Cargo.lock", 'name = "chathub-simulator"\nversion = "0.2.0"', 'name = "chathub-simulator"\nversion = "0.1.9"', "Cargo.lock, chathub-simulator"),
            ("Cargo.lock", 'name = "open-chat"\nversion = "0.2.0"', 'name = "open-chat"\nversion = "0.1.9"', "Cargo.lock, open-chat"),
            ("helm/open-chat/Chart.yaml", "\nversion: 0.2.0\n", "\nversion: 0.1.9\n", "Chart.yaml, version"),
            ("helm/open-chat/Chart.yaml", 'appVersion: "0.2.0"', 'appVersion: "0.1.9"', "Chart.yaml, appVersion"),
            ("helm/open-chat/Chart.yaml", "image: open-chat:0.2.0", "image: open-chat:0.1.9", "Chart.yaml, image"),
            ("CHANGELOG.md", "## [0.2.0] - ", "## [0.2.0] ", "CHANGELOG.md, no section with a date"),
        ):
            with self.subTest(named=named):
                self.setUp()
                self.change(name, old, new)
                done = self.script("versions.sh")
                self.assertEqual((done.returncode, done.stderr), (1, f"{named}: not {VERSION}\n"))

    def test_a_tag_of_another_version(self):
        done = self.script("versions.sh", "v0.2.1")
        self.assertEqual((done.returncode, done.stderr), (1, "the tag v0.2.1: not 0.2.0\n"))


class Notes(Copy):
    def test_they_are_the_section_of_the_changelog(self):
        (self.root / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- c\n\n## [0.2.0] - 2026-11-26\n\n### Added\n- b\n\n## [0.1.0] - 2026-01-01\n\n- a\n")
        self.assertEqual(self.script("notes.sh", "0.2.0").stdout, "\n### Added\n- b\n\n")
        self.assertEqual(self.script("notes.sh", "0.3.0").returncode, 1)


class Glibc(unittest.TestCase):
    """The program must run where the oldest glibc is."""

    def needs(self, oldest, file):
        return run(ROOT / "tools/release/needs-glibc.sh", oldest, file)

    def test_what_needs_a_newer_one_is_refused(self):
        python = pathlib.Path(sys.executable).resolve()
        self.assertEqual(self.needs("2.99", python).returncode, 0)
        done = self.needs("2.1", python)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is for GLIBC_2.1\n", done.stderr)

    def test_what_needs_none_is_refused(self):
        done = self.needs("2.28", ROOT / "LICENSE")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("is not linked with glibc dynamically", done.stderr)


class Notices(unittest.TestCase):
    """cargo-about writes them, and `make release` has it compare every word. Here: that no crate is
    missing."""

    def named(self):
        blocks = re.findall(r"\), for:\n((?:  .*\n)+)-{20}", (ROOT / "packaging/THIRD-PARTY-NOTICES.txt").read_text())
        return {" ".join(line.split()[:2]) for block in blocks for line in block.splitlines()}

    def built_in(self, processor):
        what = ("--locked", "--package=open-chat", "--edges=normal", "--prefix=none", "--format={p}")
        tree = run("cargo", "tree", *what, f"--target={processor}-unknown-linux-gnu", "--manifest-path", ROOT / "Cargo.toml")
        self.assertEqual(tree.returncode, 0, tree.stderr)
        return {" ".join(line.split()[:2]).replace(" v", " ") for line in tree.stdout.splitlines() if line}

    def test_they_name_everything_that_is_built_in(self):
        built_in = self.built_in("x86_64") | self.built_in("aarch64")
        self.assertIn("actix-web 4", " ".join(sorted(built_in)))
        self.assertEqual(self.named(), built_in, "make notices")


if __name__ == "__main__":
    unittest.main()
