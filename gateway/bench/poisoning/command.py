"""``polyculture bench poisoning``: hostile feedback, with the defences and without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.bench.poisoning.plan import Course, Plan
    from gateway.bench.poisoning.report import Found
    from gateway.bench.routing.recorded import Recorded

QUICK_REQUESTS = 2000


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Outcomes.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--seeds", type=click.IntRange(min=1), default=12, show_default=True, help="Orders of the requests.")
@click.option("--requests", type=click.IntRange(min=16), default=6000, show_default=True, help="In a pass, at most.")
@click.option("--sources", type=click.IntRange(min=5), default=100, show_default=True, help="End users.")
@click.option("--hostile", type=click.FloatRange(0.01, 0.5), default=0.2, show_default=True, help="Their hostile part.")
@click.option("--audits", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="Audited part.")
@click.option("--topical", is_flag=True, help="Each end user asks about one domain only.")
@click.option("--without", multiple=True, help="A model to leave out; repeat for more.")
@click.option("--embedder", type=click.Choice(["minilm", "static"]), default="static", show_default=True)
@click.option("--quick", is_flag=True, help=f"One seed of {QUICK_REQUESTS:,} requests.")
def poisoning(
    *,
    data: Path,
    out: Path,
    seeds: int,
    requests: int,
    sources: int,
    hostile: float,
    audits: float,
    topical: bool,
    without: tuple[str, ...],
    embedder: str,
    quick: bool,
) -> None:
    """Ask a real gateway recorded prompts while a part of its end users votes the worst model up and the best down.

    Three passes for each seed: all honest, attacked, and attacked without the defences; then the attackers' feedback
    is revoked. The defences include an auditor who judges a few answers, those that the gateway names. Writes
    results.json and poisoning.png. Exits 1 where a bar is missed.
    """
    from gateway.bench.poisoning import report
    from gateway.bench.poisoning.plan import Plan
    from gateway.bench.poisoning.population import Crowd
    from gateway.bench.routing.recorded import InvalidData, Recorded

    try:
        recorded = Recorded.read(data).without(without)
    except InvalidData as error:
        raise click.ClickException(str(error)) from error
    if quick:
        seeds, requests = 1, min(requests, QUICK_REQUESTS)
    crowd = Crowd(sources=sources, share=hostile, topical=topical)
    courses = _run(recorded, Plan(crowd=crowd, requests=requests, seeds=seeds, audits=audits, embedder=embedder))
    found = report.found(courses, recorded.models)
    _write(out, recorded, found, courses)
    missed = _tell(found)
    if missed:
        raise click.ClickException(f"missed: {', '.join(missed)}")


def _run(data: Recorded, plan: Plan) -> list[Course]:
    import uvloop
    from rich.progress import Progress

    from gateway.bench.poisoning.plan import PASSES, run

    requests = min(plan.requests, len(data.prompts))
    with Progress(transient=True) as progress:
        task = progress.add_task("requests", total=requests * len(PASSES) * plan.seeds)
        return uvloop.run(run(data, plan, told=lambda done: progress.advance(task, done)))


def _write(out: Path, data: Recorded, found: Found, courses: list[Course]) -> None:
    import msgspec

    from gateway.bench.poisoning.plot import draw
    from gateway.bench.poisoning.report import bars

    out.mkdir(parents=True, exist_ok=True)
    results = {"file": data.name, "sha256": data.digest, "found": found, "ratio": found.ratio, "bars": bars(found)}
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2))
    draw(courses, out / "poisoning.png")


def _tell(found: Found) -> list[str]:
    """Print what was found; the bars that were missed."""
    from rich.console import Console
    from rich.table import Table

    from gateway.bench.poisoning.report import bars, table

    console, held = Console(), bars(found)
    shown = Table("", "found", "bar", "met")
    for each in held:
        shown.add_row(each.name, each.shown, each.bar, "yes" if each.met else "no")
    console.print(table(found))
    console.print(f"{found.best} voted down, {found.worst} up; {found.revoked:,} outcomes revoked.")
    console.print(shown)
    return [each.name for each in held if not each.met]
