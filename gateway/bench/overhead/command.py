"""``polyculture bench overhead``: what a gateway adds to a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gateway.bench.overhead.measure import Plan

NAMES = ("direct", "passthrough", "litellm", "polyculture", "polyculture-limits", "polyculture-minilm")


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--gateways", default=",".join(NAMES), show_default=True, help="Which to measure, with commas between.")
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds over all gateways [default: 3; quick: 1].")
@click.option("--seconds", type=click.FloatRange(min=0.2), help="Length of each load [default: 4; quick: 1.5].")
@click.option("--quick", is_flag=True, help="A rough picture in a minute or so, with LiteLLM only if it is installed.")
@click.option("--litellm-home", type=click.Path(path_type=Path), help="LiteLLM's environment [default: beside --out].")
def overhead(
    *,
    out: Path,
    gateways: str,
    rounds: int | None,
    seconds: float | None,
    quick: bool,
    litellm_home: Path | None,
) -> None:
    """Measure gateways under the same load: Polyculture, LiteLLM proxy, a bare passthrough, and none.

    Writes results.json and overhead.png. LiteLLM proxy is installed into an environment of its own.
    """
    from gateway.bench.overhead import peer
    from gateway.bench.overhead.measure import Plan

    chosen = [name.strip() for name in gateways.split(",") if name.strip()]
    if unknown := [name for name in chosen if name not in NAMES]:
        raise click.BadParameter(f"{', '.join(unknown)}; known are {', '.join(NAMES)}", param_hint="--gateways")
    home = (litellm_home or out.resolve().parent / ".litellm-venv").absolute()
    if quick and peer.installed(home) is None:
        chosen = [name for name in chosen if name != "litellm"]
    plan = Plan(
        gateways=[name for name in NAMES if name in chosen],
        rounds=rounds or (1 if quick else 3),
        seconds=seconds or (1.5 if quick else 4.0),
        litellm_home=home,
        folder=out.resolve(),
    )
    _run(plan)


def _run(plan: Plan) -> None:
    """Measure, then write and show what was found."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gateway.bench.overhead import peer, plot, report
    from gateway.bench.overhead.measure import Bench, BenchFailed

    console = Console()
    out = plan.folder
    out.mkdir(parents=True, exist_ok=True)
    machine = report.machine(out)
    try:
        if "litellm" in plan.gateways:
            with console.status(f"Installing LiteLLM proxy into {plan.litellm_home} (once, about a minute)"):
                peer.install(plan.litellm_home)
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
            task = progress.add_task("starting", total=plan.size())
            medians = Bench(plan=plan, tell=lambda step: progress.update(task, advance=1, description=step)).run()
    except (BenchFailed, peer.InstallFailed) as error:
        raise click.ClickException(str(error)) from error
    results = report.document(plan=plan, medians=medians, machine=machine)
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    plot.draw(results, out / "overhead.png")
    console.print(report.tables(results))
    console.print(f"Written to {out}: results.json and overhead.png.")
