"""``polyculture bench gate``: bad versions, rollbacks, exports and quiet runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.bench.gate.plan import Found, Plan

SEEDS, ROLLBACKS, RUNS, EVENTS, TAUGHT = 8, 12, 500, 50_000, 800


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--data", type=click.Path(exists=True, dir_okay=False), help="Recorded outcomes [default: made up].")
@click.option("--seeds", type=click.IntRange(min=1), default=SEEDS, show_default=True, help="Bad versions.")
@click.option("--taught", type=click.IntRange(min=60), default=TAUGHT, show_default=True, help="Outcomes before each.")
@click.option("--rollbacks", type=click.IntRange(min=1), default=ROLLBACKS, show_default=True, help="Under load.")
@click.option("--events", type=click.IntRange(min=0), default=EVENTS, show_default=True, help="In the log by then.")
@click.option("--runs", type=click.IntRange(min=0), default=RUNS, show_default=True, help="Quiet ones, simulated.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes to simulate in.")
def gate(
    *, out: Path, data: str | None, seeds: int, taught: int, rollbacks: int, events: int, runs: int, jobs: int
) -> None:
    """Offer bad versions to gateways, force them live, return to earlier ones under load; simulate quiet runs.

    Writes results.json and gate.png. Exits 1 where a bar is missed.
    """
    from gateway.bench.gate.plan import Plan

    plan = Plan(seeds=seeds, taught=taught, rollbacks=rollbacks, events=events, runs=runs, jobs=jobs, data=data)
    missed = _tell(plan, _run(plan), out)
    if missed:
        raise click.ClickException(f"missed: {', '.join(missed)}")


def _run(plan: Plan) -> Found:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gateway.bench.gate.installation import Failed
    from gateway.bench.gate.plan import run
    from gateway.bench.overhead.load import LoadFailed
    from gateway.bench.process import ProcessFailed
    from gateway.bench.routing.recorded import InvalidData

    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    parts = {"forced": plan.seeds, "returned": plan.rollbacks + 1, "quiet": plan.runs + bool(plan.runs)}
    try:
        with Progress(*columns, transient=True, refresh_per_second=2) as progress:
            tasks = {name: progress.add_task(name, total=total) for name, total in parts.items()}
            return run(plan, step=lambda name: progress.advance(tasks[name]))
    except (Failed, LoadFailed, ProcessFailed, InvalidData) as error:
        raise click.ClickException(str(error)) from error


def _tell(plan: Plan, found: Found, out: Path) -> list[str]:
    """Write and print what was found; the bars that were missed."""
    import msgspec
    from rich.console import Console

    from gateway.bench.gate import plot, report

    out.mkdir(parents=True, exist_ok=True)
    results = msgspec.json.encode(report.document(plan, found))
    (out / "results.json").write_bytes(msgspec.json.format(results, indent=2) + b"\n")
    plot.draw(found, out / "gate.png")
    console = Console()
    console.print(report.tables(found))
    console.print(f"Written to {out / 'results.json'} and {out / 'gate.png'}.")
    return [bar.name for bar in report.bars(found) if not bar.met]
