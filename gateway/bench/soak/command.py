"""``polyculture bench soak``: very many requests of every kind, and what the gateway holds meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--requests", type=click.IntRange(min=1000), default=200_000, show_default=True, help="All of them.")
@click.option("--clients", type=click.IntRange(min=1), default=32, show_default=True, help="Clients at once.")
@click.option("--looks", type=click.IntRange(min=10), default=100, show_default=True, help="Looks at the gateway.")
def soak(*, out: Path, requests: int, clients: int, looks: int) -> None:
    """Put a gateway through plain, streamed and faulty requests of three tenants, with feedback and embeddings.

    Writes results.json and soak.png. Exits 1 where a bar is missed: memory over the last tenth of the requests within
    10 % of what it was over the second one, no descriptor or task left over, every request answered as it should be.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    from gateway.bench.soak.report import tell, write
    from gateway.bench.soak.session import WARM, Plan, run

    plan = Plan(requests=requests, clients=clients, looks=looks)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, transient=True) as progress:
        task = progress.add_task("soak", total=int(requests * (1 + WARM)))
        found = asyncio.run(run(plan, Path(folder), told=lambda count: progress.advance(task, count)))
    write(out, plan, found)
    missed = tell(found)
    if missed:
        raise click.ClickException(f"missed: {', '.join(missed)}")
