"""``polyculture explain``: why a request went where it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.cli.client import Page, Remote, facts, quoted, rows, show


@click.command()
@click.argument("decision")
@click.option("--replay", is_flag=True, help="Compute its probabilities anew from the log, too.")
@click.option("--url", help="Where the gateway is (POLYCULTURE_URL); this machine's when left out.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Read this folder instead of asking a gateway.")
@click.option("--json", "plain", is_flag=True, help="Print the answer as JSON.")
def explain(*, decision: str, replay: bool, url: str | None, data_dir: Path | None, plain: bool) -> None:
    """Explain DECISION, a decision's or a completion's id: who could answer, how likely, who did, what came of it."""
    if data_dir is not None:
        found = _read(data_dir, decision, replay=replay)
    else:
        path = f"/v1/decisions/{quoted(decision)}"
        found = Remote.found(url).get(path, replay="version" if replay else None)
    show(Page(found, list(_shown(found))), plain=plain)


def _read(folder: Path, name: str, *, replay: bool) -> dict[str, Any]:
    """The explanation by the database alone."""
    import msgspec

    from gateway.cli.data import reading
    from gateway.controls import Controls
    from gateway.exchange import subject_of
    from gateway.explain.explanation import decided, explain
    from gateway.explain.replay import recompute
    from gateway.schema import events
    from gateway.transaction import read

    with reading(folder) as connection:
        try:
            history = read(connection, events.c.subject == (subject_of(name) or b""))
            found = explain(history, controls=Controls.read(connection))
        except LookupError as error:
            raise click.ClickException(str(error)) from error
        if replay:
            _, decision = decided(history)
            found.replay.version = recompute(connection, decision, tenant=found.tenant)
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def _shown(found: dict[str, Any]) -> list[Any]:
    nested = ("candidates", "excluded", "answer", "feedback", "replay")
    parts = [facts({name: value for name, value in found.items() if name not in nested})]
    parts += ["", rows(found["candidates"], "model", "probability", "score")]
    if found["excluded"]:
        excluded = [{"excluded": model, "because": why} for model, why in found["excluded"].items()]
        parts += ["", rows(excluded, "excluded", "because")]
    if found["answer"]:
        parts += ["", facts({"answered": found["answer"]["model"], **found["answer"]})]
    if found["feedback"]:
        columns = ("at", "source", "status", "reason", "reward", "weight", "honesty", "comment", "correction")
        parts += ["", rows(found["feedback"], *columns)]
    return [*parts, "", facts(_replay(found["replay"]))]


def _replay(replay: dict[str, Any]) -> dict[str, Any]:
    shown = {"the_draw_again": f"{'gives' if replay['ok'] else 'DOES NOT give the choice, but'} {replay['model']}"}
    version = replay["version"]
    if version is not None:
        gap = version["largest_difference"]
        told = "exact" if version["exact"] else f"largest difference {gap}" if gap is not None else ""
        shown["the_version_again"] = ", ".join(filter(None, (told, version["note"])))
    return shown
