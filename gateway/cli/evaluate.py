"""``polyculture router evaluate``: what another policy would have earned, by the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.judgement import Earned, Judgement

THIN: Final = 50.0
"""Effective sample size below which the estimate rests on the reward model more than on outcomes."""


def parameters(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Hyperparameters given as ``name=value``. Raises ``click.BadParameter``."""
    from gateway.hindsight import setting

    try:
        return dict(setting(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--policy", default="polyculture", show_default=True, help="The policy to ask about.")
@click.option("--set", "settings", multiple=True, callback=parameters, help="A hyperparameter of it: --set scale=0.4.")
@click.option("--tenant", help="Only this tenant's decisions.")
@click.option("--last", type=click.IntRange(min=1), help="Only so many of the latest decisions.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where state is kept (POLYCULTURE_DATA_DIR).")
@click.option("--json", "plain", is_flag=True, help="Print the figures as JSON, be the decisions enough or not.")
def evaluate(*, data_dir: Path | None, plain: bool, **asked: Any) -> None:
    """Estimate what another policy would have earned on this log's requests, beside what was earned.

    The policy goes through the log from its beginning and learns from the same feedback. Decisions that a client
    forced, that a fallback answered, or that have no feedback do not enter.
    """
    import msgspec

    from router_models import make

    if "budget" in asked["settings"]:
        raise click.ClickException("a budget cannot be judged from a log: it holds prices of what was chosen alone")
    try:
        make(asked["policy"], **asked["settings"])
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    found = _judged(data_dir or Settings().data_dir, asked)
    if plain:
        click.echo(msgspec.json.encode(found))
    else:
        _tell(found)


def _judged(folder: Path, asked: dict[str, Any]) -> Judgement:
    from rich.progress import Progress
    from sqlalchemy import func, select

    from gateway.cli.data import reading
    from gateway.judgement import judge
    from gateway.schema import events

    with reading(folder) as connection, Progress(transient=True) as bar:
        total = connection.execute(select(func.max(events.c.seq))).scalar() or 0
        task = bar.add_task("replaying", total=total)

        def progress(seq: int) -> None:
            if seq % 1000 == 0:
                bar.update(task, completed=seq)

        return judge(connection, **asked, progress=progress)


def _tell(found: Judgement) -> None:
    click.echo(f"decisions counted  {found.decisions}")
    for reason, number in found.left_out.items():
        click.echo(f"left out           {number} {reason}")
    if found.logged is None or found.candidate is None or found.difference is None:
        from gateway.judgement import ENOUGH

        raise click.ClickException(
            f"{found.decisions} decisions can be counted, and an honest estimate takes at least {ENOUGH}: "
            "give feedback on more requests that the gateway itself chose a model for"
        )
    click.echo(f"as logged          {_shown(found.logged)}")
    click.echo(f"{found.policy:<18} {_shown(found.candidate)}")
    click.echo(f"difference         {_shown(found.difference)}")
    click.echo(f"effective sample   {found.effective_sample_size:.0f}")
    click.echo(f"largest weight     {found.largest_weight:.1f}")
    if found.effective_sample_size < THIN:
        click.echo("The log has seldom done what this policy would do: the estimate rests mostly on a reward model.")


def _shown(earned: Earned) -> str:
    return f"{earned.value:.4f}  (95 %: {earned.low:.4f} to {earned.high:.4f})"
