"""The picture of a run: coverage, width and error of every estimator, by how far the target is from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.bench.offpolicy.report import COVERAGE, WIDTH


def draw(results: dict[str, Any], path: Path) -> None:
    """Write a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.5), layout="constrained")
    coverage, width, error = figure.subplots(1, 3)
    targets = list(results["by_target"])
    for name in results["pooled"]["estimators"]:
        found = [results["by_target"][target]["estimators"][name] for target in targets]
        main = name == results["recommended"]
        style = {"marker": "o", "linewidth": 2.5 if main else 1.0, "zorder": 3 if main else 2}
        (line,) = coverage.plot(targets, [each["coverage"] for each in found], label=name, **style)
        width.plot(targets, [each["width"] for each in found], color=line.get_color(), **style)
        error.plot(targets, [each["rmse"] for each in found], color=line.get_color(), **style)
    coverage.axhline(COVERAGE, color="grey", linestyle="--")
    coverage.set(title="Coverage of the 95 % interval", ylim=(min(0.5, *coverage.get_ylim()), 1.01))
    width.axhline(WIDTH, color="grey", linestyle="--")
    width.set(title="Median width", yscale="log")
    error.set(title="Root mean squared error", yscale="log")
    for axes in (coverage, width, error):
        axes.grid(alpha=0.3)
        axes.tick_params(axis="x", rotation=30)
    figure.legend(*coverage.get_legend_handles_labels(), loc="outside lower center", ncols=8)
    figure.savefig(path, dpi=130)
