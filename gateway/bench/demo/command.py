"""``polyculture bench demo``: what learning is worth."""

from __future__ import annotations

import json
from pathlib import Path

import click


def _pair(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, str]:
    """Two different models' names with a comma between."""
    names = [name.strip() for name in value.split(",")]
    if len(names) != 2 or names[0] == names[1]:
        raise click.BadParameter("give two different models with a comma between, such as mathematics,summary")
    return names[0], names[1]


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--requests", default=300, show_default=True, type=click.IntRange(min=6), help="Prompts in each session.")
@click.option(
    "--swap",
    default="mathematics,sentiment",
    show_default=True,
    callback=_pair,
    help="The two models whose descriptions change places.",
)
@click.option("--frozen/--no-frozen", default=True, show_default=True, help="Also run them swapped and not learning.")
@click.option("--seed", default=1, show_default=True, help="Chooses the prompts.")
def demo(*, out: Path, requests: int, swap: tuple[str, str], frozen: bool, seed: int) -> None:
    """Show that the router learns: mixed prompts over HTTP, answers scored, each score given as feedback.

    Writes results.json and demo.png.
    """
    from gateway.bench.demo.gateway import installed
    from gateway.bench.demo.plan import Plan

    models = installed()
    if unknown := [name for name in swap if name not in models]:
        known = ", ".join(models) or "none: install polyculture[specialists]"
        raise click.BadParameter(f"no specialist {unknown[0]!r} is installed; there are {known}", param_hint="--swap")
    _run(Plan(requests=requests, seed=seed, models=models, swap=swap, frozen=frozen), out)


def _run(plan: object, out: Path) -> None:
    """Measure, then write and show what was found."""
    import httpx
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gateway.bench.demo import plot, report
    from gateway.bench.demo.gateway import DemoFailed
    from gateway.bench.demo.plan import Plan, run
    from gateway.bench.process import ProcessFailed

    assert isinstance(plan, Plan)
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
            bars = {
                session.name: progress.add_task(session.name, total=session.steps(plan.requests))
                for session in plan.sessions()
            }
            singles, routed = run(plan, tell=lambda session: progress.advance(bars[session.name]))
    except (DemoFailed, ProcessFailed, httpx.HTTPError) as error:
        raise click.ClickException(str(error)) from error
    results = report.document(plan, singles=singles, routed=routed)
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    plot.draw(results, out / "demo.png")
    console.print(report.tables(results))
    console.print(f"Written to {out / 'results.json'} and {out / 'demo.png'}.")
