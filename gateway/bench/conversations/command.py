"""``polyculture bench conversations``: what staying with a conversation's model costs in quality."""

from __future__ import annotations

from pathlib import Path

import click

PRICES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 1.0)
"""Prices of leaving a model, in units of reward."""


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Outcomes.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--seeds", type=click.IntRange(min=1), default=4, show_default=True, help="Orders of the conversations.")
@click.option("--embedder", type=click.Choice(["minilm", "static"]), default="static", show_default=True)
def conversations(*, data: Path, out: Path, seeds: int, embedder: str) -> None:
    """Replay recorded outcomes as conversations, on one subject and on two, at several prices of leaving a model.

    Writes results.json. DATA is as for `polyculture bench routing`.
    """
    import msgspec
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from gateway.bench.conversations.replay import measured, summary
    from gateway.bench.routing.embeddings import embedded, featured
    from gateway.bench.routing.recorded import InvalidData, Recorded
    from gateway.space import Space
    from router_models import embedders

    try:
        recorded = Recorded.read(data)
    except InvalidData as error:
        raise click.ClickException(str(error)) from error
    console = Console(soft_wrap=True)
    table = Table("subjects", "price of leaving", "quality", "± 1 s.e.", "turns that another model took")
    found = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("replaying", total=len(recorded.prompts) + 2 * len(PRICES) * seeds)
        space, cache = Space.of(embedders.load(embedder)), out.resolve().parent / ".embeddings"

        def step(count: int) -> None:
            progress.advance(bar, count)

        vectors = embedded(recorded, space, wording="plain", folder=cache, jobs=1, step=step)
        features = featured(recorded, space, vectors, wording="plain")
        for steady in (True, False):
            for price in PRICES:
                played = measured(recorded, features, price=price, steady=steady, seeds=seeds, step=step)
                found.append(summary(played, price=price, steady=steady))
    for each in found:
        shown = (f"{each.price:g}", f"{each.quality:.4f}", f"{each.error:.4f}", f"{each.switches:.1%}")
        table.add_row("one" if each.steady else "two", *shown)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    console.print(table)
