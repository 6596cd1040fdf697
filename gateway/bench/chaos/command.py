"""``polyculture bench chaos``: misbehaving upstreams, many clients, a bounded time."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.bench.chaos.session import Found, Plan


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--seconds", type=click.FloatRange(min=9), default=180.0, show_default=True, help="Length of the run.")
@click.option("--clients", type=click.IntRange(min=1), default=64, show_default=True, help="Clients at once.")
@click.option(
    "--patience", type=click.FloatRange(min=1), default=30.0, show_default=True, help="A client's time-out, s."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which requests meet a fault.")
def chaos(*, out: Path, seconds: float, clients: int, patience: float, seed: int) -> None:
    """Put a gateway before upstreams that fail each in its own way, and see what its clients notice.

    Writes results.json and chaos.png. Exits 1 where a bar is missed.
    """
    from gateway.bench.chaos.session import Plan

    plan = Plan(seconds=seconds, clients=clients, patience_s=patience, seed=seed)
    found = _run(plan)
    _write(out, plan, found)
    missed = _tell(found, plan)
    if missed:
        raise click.ClickException(f"missed: {', '.join(missed)}")


def _run(plan: Plan) -> Found:
    from rich.progress import Progress

    from gateway.bench.chaos.session import run

    with tempfile.TemporaryDirectory() as folder, Progress(transient=True) as progress:
        task = progress.add_task("chaos", total=1.0)
        return asyncio.run(run(plan, Path(folder), told=lambda done: progress.update(task, completed=done)))


def _write(out: Path, plan: Plan, found: Found) -> None:
    import matplotlib as mpl
    import msgspec

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    results = {"plan": plan, "found": found}
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2))
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot([plan.seconds * (step + 1) / 100 for step in range(len(found.rss_mb))], found.rss_mb)
    axes.set(xlabel="seconds", ylabel="resident MB", title=f"{found.asked:,} requests, {found.success:.2%} answered")
    axes.set_ylim(bottom=0)
    figure.savefig(out / "chaos.png", dpi=120)
    plt.close(figure)


def _tell(found: Found, plan: Plan) -> list[str]:
    """Print what was found; the bars that were missed."""
    from rich.console import Console
    from rich.table import Table

    before, after = found.before, found.after
    half = len(found.rss_mb) // 2
    growth = max(found.rss_mb[half:]) / max(found.rss_mb[:half])
    back = "never" if found.return_s is None else f"{found.return_s:.1f}"
    rows = [
        ("answered, of all but streams broken off", f"{found.success:.3%}", "at least 99.5 %", found.success >= 0.995),
        ("longest wait, s", f"{found.longest_wait_s:.1f}", f"below {plan.patience_s:g}", _within(found, plan)),
        ("requests to a dead server within 5 s", f"{found.dead_requests}", "at most 5", found.dead_requests <= 5),
        ("traffic after its return, s", back, "at most 10", found.return_s is not None and found.return_s <= 10),
        ("memory, second half over first", f"{growth:.3f}", "at most 1.1", growth <= 1.1),
        ("descriptors, before and after", f"{before.descriptors} {after.descriptors}", "no more", _flat(found)),
        ("tasks, before and after", f"{before.tasks:g} {after.tasks:g}", "no more", after.tasks <= before.tasks + 2),
    ]
    table = Table("", "found", "bar", "met")
    for name, shown, bar, met in rows:
        table.add_row(name, shown, bar, "yes" if met else "no")
    console = Console()
    console.print(table)
    console.print(found.outcomes)
    return [name for name, _, _, met in rows if not met]


def _within(found: Found, plan: Plan) -> bool:
    return found.longest_wait_s < plan.patience_s and "timed out" not in found.outcomes


def _flat(found: Found) -> bool:
    """Idle connections are kept a few seconds: what they hold is no leak."""
    kept = max(0.0, found.after.connections - found.before.connections)
    return found.after.descriptors <= found.before.descriptors + kept + 4
