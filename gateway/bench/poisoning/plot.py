"""The picture of a run: quality over the requests, pass by pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.bench.poisoning.plan import PASSES, Course
from gateway.bench.routing.recorded import Floats

WINDOWS = 20


def draw(courses: Sequence[Course], path: Path) -> None:
    """Write a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.subplots()
    for name in PASSES:
        quality = np.mean([each.passes[name].quality for each in courses], axis=0)
        axes.plot(*_moving(quality), label=name, linewidth=2)
    axes.set(title="Quality while a part of the sources is hostile", xlabel="requests", ylabel="mean quality")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=130)


def _moving(quality: Floats) -> tuple[Floats, Floats]:
    """Means over a moving window, and where each ends."""
    window = max(len(quality) // WINDOWS, 1)
    means: Floats = np.convolve(quality, np.full(window, 1.0 / window), mode="valid")
    return np.arange(window, len(quality) + 1, dtype=np.float64), means
