"""docs/performance.md: each measurement writes what it has found between markers of its own."""

import subprocess

from servers import ROOT

PAGE = ROOT / "docs" / "performance.md"


def write(sections):
    """Text for each name, between `<!-- NAME: begin -->` and `<!-- NAME: end -->`."""
    page = PAGE.read_text()
    for name, text in sections.items():
        page = between(page, name, text)
    PAGE.write_text(page)
    print(f"written: {PAGE.relative_to(ROOT)}: {', '.join(sections)}")


def between(page, name, text):
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.split(begin)
    return before + begin + "\n" + text + "\n" + end + rest.split(end)[1]


def measured_at():
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True).stdout.strip()
    return f"Measured at commit {commit or 'unknown'}."


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
