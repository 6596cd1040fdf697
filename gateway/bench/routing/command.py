"""``polyculture bench routing``: how well policies route, on recorded outcomes."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.bench.routing.plan import Plan


def _policies(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names that there are."""
    from gateway.bench.routing.contenders import FIXED, NAMES

    for name in value:
        if name not in NAMES and not name.startswith(FIXED):
            raise click.BadParameter(f"{name!r}; known are {', '.join(NAMES)} and {FIXED}MODEL")
    return tuple(dict.fromkeys(value))


def _scenarios(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names that there are."""
    from gateway.bench.routing.scenarios import NAMES

    for name in value:
        if name not in NAMES:
            raise click.BadParameter(f"{name!r}; known are {', '.join(NAMES)}")
    return tuple(dict.fromkeys(value))


NEEDED = ("matplotlib", "scipy", "threadpoolctl")
"""Packages of the ``bench`` extra without which there is no run at all."""

MONEY = click.FloatRange(min=0.0, min_open=True)
SHARE = click.FloatRange(min=0.0, max=1.0)


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Outcomes.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--policy", "policies", multiple=True, callback=_policies, help="Repeat for more [default: all].")
@click.option("--scenario", "names", multiple=True, callback=_scenarios, help="Repeat for more [default: all].")
@click.option("--protocol", type=click.Choice(["paretobandit"]), help="Run a published evaluation instead.")
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="Orders of the requests.")
@click.option("--budget", type=MONEY, help="Mean USD of a request, in all scenarios but stationary and cap.")
@click.option("--without", multiple=True, help="A model to leave out; repeat for more.")
@click.option("--split", help="Measure on the rows of this split [default: all rows].")
@click.option("--warm", help="Learn beforehand from the rows of this split.")
@click.option("--failing", help="The model that fails [default: the best].")
@click.option("--failed-quality", type=SHARE, help="Its quality then [default: half].")
@click.option("--failed-cost", type=click.FloatRange(min=0.0), help="Its cost then [default: as ever].")
@click.option("--newcomer", help="The model that joins in onboarding [default: the best].")
@click.option("--embedder", type=click.Choice(["minilm", "static"]), default="minilm", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes [default: one for each core].")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Embeddings [default: beside --out].")
def routing(
    *,
    data: Path,
    out: Path,
    policies: tuple[str, ...],
    names: tuple[str, ...],
    protocol: str | None,
    seeds: int,
    budget: float | None,
    without: tuple[str, ...],
    split: str | None,
    warm: str | None,
    failing: str | None,
    failed_quality: float | None,
    failed_cost: float | None,
    newcomer: str | None,
    embedder: str,
    jobs: int | None,
    cache: Path | None,
) -> None:
    """Replay recorded outcomes through policies, revealing only the chosen models' outcomes.

    Writes results.json, table.md and plots. DATA has one JSON object a line, or gzipped: prompt, domain, split,
    outcomes: {MODEL: {quality: 0..1, cost: USD}}.
    """
    from rich.console import Console

    from gateway.bench.routing.plan import Plan
    from gateway.bench.routing.recorded import InvalidData
    from gateway.bench.routing.scenarios import Choices

    plan = Plan(
        data=data,
        cache=cache or out.resolve().parent / ".embeddings",
        policies=policies,
        scenarios=names,
        without=without,
        seeds=seeds,
        split=split,
        warm=warm,
        embedder=embedder,
        jobs=jobs or os.cpu_count() or 1,
        choices=Choices(
            budget=budget,
            failing=failing,
            failed_quality=failed_quality,
            failed_cost=failed_cost,
            newcomer=newcomer,
        ),
    )
    if absent := [package for package in NEEDED if find_spec(package) is None]:
        raise click.ClickException(f"{absent[0]} is not installed: pip install 'polyculture[bench]'")
    console = Console(soft_wrap=True)
    try:
        (_run_protocol if protocol else _run)(plan, out, console)
    except InvalidData as error:
        raise click.ClickException(str(error)) from error


def _run(plan: Plan, out: Path, console: Console) -> None:
    """Replay, then write and show what was found."""
    from gateway.bench.routing import plot, report
    from gateway.bench.routing.plan import read
    from gateway.bench.routing.session import replayed

    started = perf_counter()
    data = read(plan)
    prepared, passes = replayed(plan, data, console)
    results = report.document(plan, data, prepared, passes, wall_s=perf_counter() - started)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=2, allow_nan=False) + "\n")
    text = report.table(results)
    (out / "table.md").write_text(text)
    drawn = plot.draw(prepared, passes, results, out)
    console.print(text, markup=False, highlight=False)
    console.print(f"Written to {out}: results.json, table.md, {', '.join(drawn)}.")


def _run_protocol(plan: Plan, out: Path, console: Console) -> None:
    """Run ParetoBandit's evaluation, then write and show what was found."""
    from dataclasses import asdict

    from gateway.bench.routing import contenders, protocol
    from gateway.bench.routing.plan import read

    started = perf_counter()
    data = read(plan)
    found = protocol.conditions(plan, data, console)
    judged = protocol.bars(found)
    text = protocol.table(judged, seeds=plan.seeds, wall_s=perf_counter() - started, jobs=plan.jobs)
    results = {
        "protocol": protocol.PEER,
        "data": {"file": data.name, "sha256": data.digest, "embedder": plan.embedder},
        "seeds": plan.seeds,
        "bars": [asdict(bar) for bar in judged],
        "conditions": found,
        "settings": {name: contenders.settings(name, data=data) for name in (contenders.OURS, protocol.PEER)},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=2, allow_nan=False) + "\n")
    (out / "table.md").write_text(text)
    console.print(text, markup=False, highlight=False)
    console.print(f"Written to {out}: results.json, table.md.")
