"""The picture of a run: throughput and latency by the number of connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.bench.overhead.session import LEVELS


def draw(results: dict[str, Any], path: Path) -> None:
    """Write a PNG. Both scales are logarithmic: the gateways lie orders of magnitude apart."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    throughput, latency = figure.subplots(1, 2)
    for gateway, figures in results["gateways"].items():
        levels = [figures[f"c{n}"] for n in LEVELS]
        style = {"marker": "o", "linewidth": 2 if gateway.startswith("polyculture") else 1.2}
        (line,) = throughput.plot(LEVELS, [level["rps"] for level in levels], label=gateway, **style)
        latency.plot(LEVELS, [level["p50_ms"] for level in levels], color=line.get_color(), **style)
        latency.plot(LEVELS, [level["p99_ms"] for level in levels], color=line.get_color(), linestyle=":")
    throughput.set(title="Requests a second (higher is better)", xlabel="connections")
    latency.set(title="Milliseconds, median and dotted p99 (lower is better)", xlabel="connections")
    for axes in (throughput, latency):
        axes.set(xscale="log", yscale="log")
        axes.set_xticks(LEVELS, map(str, LEVELS))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.legend(*throughput.get_legend_handles_labels(), loc="outside lower center", ncols=len(results["gateways"]))
    figure.savefig(path, dpi=130)
