"""The picture of a run: scores over the requests, and who answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

WINDOW = 50


def moving_mean(values: Sequence[float], *, window: int = WINDOW) -> list[float]:
    """The mean of the last ``window`` values, or of all so far."""
    sums = [0.0, *accumulate(values)]
    starts = [max(end - window, 0) for end in range(1, len(sums))]
    return [(sums[end] - sums[start]) / (end - start) for end, start in enumerate(starts, start=1)]


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Write a PNG."""
    from matplotlib.figure import Figure

    scenarios = results["scenarios"]
    figure = Figure(figsize=(11, 3.5 * (1 + len(scenarios) / 2)), layout="constrained")
    scores, *shares = figure.subplots(1 + len(scenarios), 1, sharex=True, height_ratios=[2, *[1] * len(scenarios)])
    _draw_scores(scores, results)
    for axes, (name, found) in zip(shares, scenarios.items(), strict=True):
        _draw_shares(axes, found["models"], sorted(results["singles"]))
        axes.set(title=f"Shares of the last {WINDOW} requests, {name}", ylim=(0, 1))
    shares[-1].set(xlabel="requests")
    figure.legend(*shares[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(results["singles"]))
    figure.savefig(path, dpi=130)


def _draw_scores(axes: Any, results: Mapping[str, Any]) -> None:
    for name, found in results["scenarios"].items():
        axes.plot(moving_mean(found["scores"]), label=name, linewidth=2)
    best = results["best_single"]
    axes.axhline(results["singles"][best]["mean"], color="grey", linestyle="--", label=f"{best} alone, the best single")
    axes.set(title=f"Mean score of the last {WINDOW} requests", ylim=(0, 1))
    axes.margins(x=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _draw_shares(axes: Any, answered: Sequence[str], models: Sequence[str]) -> None:
    lines = [moving_mean([float(each == model) for each in answered]) for model in models]
    axes.stackplot(range(len(answered)), *lines, labels=models)
