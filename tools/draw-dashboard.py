#!/usr/bin/env python3
"""Draws the dashboard from what a real Prometheus answered in the last test run, for those who have
no Grafana at hand.

    cargo test --test api every_expression
    tools/draw-dashboard.py target/tmp/dashboard.json target/dashboard.png

It needs matplotlib.
"""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLUMNS = 3

source, picture = sys.argv[1:]
panels = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
rows = -(-len(panels) // COLUMNS)
figure, axes = plt.subplots(rows, COLUMNS, figsize=(7 * COLUMNS, 3 * rows), squeeze=False)
for axis in axes.flat[len(panels):]:
    axis.axis("off")
everything = [series for panel in panels for line in panel["lines"] for series in line["series"]]
start = min(float(series["values"][0][0]) for series in everything)
for axis, panel in zip(axes.flat[: len(panels)], panels, strict=True):
    axis.set_title(panel["title"], fontsize=10, loc="left")
    for line in panel["lines"]:
        for series in line["series"]:
            legend = line["legend"]
            for label, value in series["metric"].items():
                legend = legend.replace("{{" + label + "}}", value)
            points = [(float(at) - start, float(value)) for at, value in series["values"]]
            axis.plot(*zip(*points, strict=True), label=legend or panel["title"], linewidth=1)
    axis.set_ylim(bottom=min(0, axis.get_ylim()[0]))
    axis.legend(fontsize=6, loc="upper left")
    axis.grid(alpha=0.2)
figure.tight_layout()
figure.savefig(picture, dpi=80)
