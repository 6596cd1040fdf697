"""``polyculture bench offpolicy``: how honest off-policy estimates are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--logs", default=1000, show_default=True, type=click.IntRange(min=1), help="Logs to simulate.")
@click.option("--decisions", default=2000, show_default=True, type=click.IntRange(min=100), help="Decisions in a log.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Chooses the worlds.")
@click.option(
    "--jobs", default=os.cpu_count() or 1, type=click.IntRange(min=1), help="Processes [default: one a core]."
)
def offpolicy(*, out: Path, logs: int, decisions: int, seed: int, jobs: int) -> None:
    """Simulate logs of the router where the truth is known, and check every off-policy estimator against it.

    Writes results.json and offpolicy.png. A thousand logs take a core about half an hour.
    """
    from functools import partial

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gateway.bench.offpolicy import plot, report
    from gateway.bench.offpolicy.study import every

    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("logs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
        advance = partial(progress.advance, progress.add_task("logs", total=logs))
        questions = every(logs, seed=seed, decisions=decisions, jobs=jobs, tell=advance)
    results = report.document(questions, seed=seed, decisions=decisions)
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    plot.draw(results, out / "offpolicy.png")
    console.print(report.tables(results))
    console.print(f"Written to {out}: results.json and offpolicy.png.")
