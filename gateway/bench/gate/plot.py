"""The picture of a run: what a bad version earned beside the control, outcome by outcome, and where it fell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from gateway.bench.gate.plan import Found
from gateway.bench.gate.trying import Tried


def draw(found: Found, path: Path) -> None:
    """Write a PNG: one panel for each bad version, and one of how many outcomes each took."""
    from matplotlib.figure import Figure

    shown = found.tried[:4]
    figure = Figure(figsize=(3.2 * (len(shown) + 1), 3.2), layout="constrained")
    *panels, last = figure.subplots(1, len(shown) + 1)
    for axes, tried in zip(panels, shown, strict=True):
        _earnings(axes, tried)
    outcomes = sorted(each.outcomes for each in found.tried if each.outcomes is not None)
    last.plot(range(1, len(outcomes) + 1), outcomes, "o")
    last.axhline(300, color="grey", linestyle="--")
    last.set(title="Outcomes until taken back", xlabel="installations, sorted", ylim=(0, 320))
    figure.savefig(path, dpi=130)


def _earnings(axes: Any, tried: Tried) -> None:
    """Earned so far by each side, on average."""
    for name, ours in (("live", True), ("control", False)):
        own = [
            (place, reward)
            for place, (live, reward) in enumerate(zip(tried.live, tried.rewards, strict=True), start=1)
            if live is ours
        ]
        axes.plot([place for place, _ in own], _means([reward for _, reward in own]), label=name)
    if tried.outcomes is not None:
        axes.axvline(tried.outcomes, color="grey", linestyle="--", label="taken back")
    axes.set(title=f"Mean reward, seed {tried.seed}", xlabel="outcomes since it was forced live", ylim=(0, 1))
    axes.legend(loc="lower right", fontsize="small")


def _means(values: Sequence[float]) -> list[float]:
    return [total / count for count, total in enumerate(accumulate(values), start=1)]
