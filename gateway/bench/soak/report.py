"""What a run showed: a table with the bars, the figures as JSON, and how they went over time."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.bench.soak.session import EARLY, Found, Plan

GROWTH = 1.1
"""Most memory at the end, as a multiple of what it was early on."""

_PANELS = {
    "resident MB": ("rss_mb",),
    "latency, ms": ("p50_ms", "p99_ms"),
    "descriptors, tasks, connections": ("descriptors", "tasks", "connections"),
    "disk, MB": ("disk_mb",),
}

_EXPECTED = {"broken": "400", "unknown": "404", "stranger": "401"}


def unexpected(found: Found) -> dict[str, int]:
    """Answers that nobody should have got: whatever is refused is refused rightly, all else is answered."""
    rightly = {f"{kind} {_EXPECTED.get(kind, '200')}" for kind in (key.split()[0] for key in found.outcomes)}
    return {outcome: number for outcome, number in found.outcomes.items() if outcome not in rightly}


def write(out: Path, plan: Plan, found: Found) -> None:
    """Write results.json and soak.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_bytes(
        msgspec.json.format(msgspec.json.encode({"plan": plan, "found": found}), indent=2)
    )
    figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained", sharex=True)
    looks = found.looks[:-1]
    for place, (title, names) in zip(axes.flat, _PANELS.items(), strict=True):
        for name in names:
            place.plot([each.requests for each in looks], [getattr(each, name) for each in looks], label=name)
        place.set(title=title)
        place.set_ylim(bottom=0)
        if len(names) > 1:
            place.legend(frameon=False)
    for place in axes[1]:
        place.set(xlabel="requests")
    figure.savefig(out / "soak.png", dpi=120)
    plt.close(figure)


def tell(found: Found) -> list[str]:
    """Print what was found; the bars that were missed."""
    first, last, rest, wrong = found.looks[1], found.looks[-2], found.looks[-1], unexpected(found)
    (before, after), (early, late) = (_both(found, field) for field in ("rss_mb", "p99_ms"))
    spare, growth = rest.connections - found.looks[0].connections, after / before
    rows = [
        ("resident MB", f"{before:.0f} -> {after:.0f}, {growth:.3f}", f"at most {GROWTH}", growth <= GROWTH),
        ("p99, ms", f"{early:.1f} -> {late:.1f}", "", True),
        ("descriptors, before and after", *_held(found.looks[0].descriptors, rest.descriptors, spare)),
        ("tasks, before and after", *_held(found.looks[0].tasks, rest.tasks, 0.0)),
        (
            "disk, bytes a request",
            f"{(last.disk_mb - first.disk_mb) * 1e6 / (last.requests - first.requests):.0f}",
            "",
            True,
        ),
        ("answers that nobody should get", str(sum(wrong.values())), "none", not wrong),
    ]
    table = Table("", "found", "bar", "met")
    for name, shown, bar, met in rows:
        table.add_row(name, shown, bar, "yes" if met else "no")
    console = Console()
    console.print(table)
    console.print("First is the tenth of the requests after the first tenth, then the last tenth; medians.")
    console.print(f"{last.requests:,} requests, {last.requests / last.seconds:,.0f} a second", found.outcomes)
    return [name for name, _, _, met in rows if not met]


def _both(found: Found, field: str) -> tuple[float, float]:
    """A figure early and late."""
    return found.typical(field, since=EARLY), found.typical(field, since=1.0 - EARLY)


def _held(before: float, after: float, spare: float) -> tuple[str, str, bool]:
    """What was held, and whether it is no more but for a few connections that idle yet."""
    return f"{before:g} {after:g}", "no more", after <= before + max(0.0, spare) + 4
