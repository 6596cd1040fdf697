"""``polyculture router evaluate``: what another policy would have earned, by the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.hindsight import Hindsight
    from router_models.evaluation import Decisions, Estimate

ENOUGH: Final = 100
"""Decisions with feedback below which no estimate is given."""

THIN: Final = 50.0
"""Effective sample size below which the estimate rests on the reward model more than on outcomes."""


def _settings(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    from gateway.hindsight import setting

    try:
        return dict(setting(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--policy", default="polyculture", show_default=True, help="The policy to ask about.")
@click.option("--set", "settings", multiple=True, callback=_settings, help="A hyperparameter of it: --set scale=0.4.")
@click.option("--tenant", help="Only this tenant's decisions.")
def evaluate(*, policy: str, settings: dict[str, Any], tenant: str | None) -> None:
    """Estimate what another policy would have earned on this log's requests, beside what was earned.

    The policy goes through the log from its beginning and learns from the same feedback. Decisions that a client
    forced, that a fallback answered, or that have no feedback do not enter.
    """
    from gateway.hindsight import Hindsight
    from router_models import make

    if "budget" in settings:
        raise click.ClickException("a budget cannot be judged from a log: it holds prices of what was chosen alone")
    try:
        make(policy, **settings)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    hindsight = Hindsight(policy=policy, settings=settings, tenant=tenant)
    _read(hindsight)
    found = hindsight.decisions()
    count = 0 if found is None else len(found)
    click.echo(f"decisions counted  {count}")
    for reason, number in sorted(hindsight.left_out.items()):
        click.echo(f"left out           {number} {reason}")
    if found is None or count < ENOUGH:
        raise click.ClickException(
            f"{count} decisions can be counted, and an honest estimate takes at least {ENOUGH}: "
            "give feedback on more requests that the gateway itself chose a model for"
        )
    _tell(found, policy)


def _read(hindsight: Hindsight) -> None:
    from rich.progress import Progress
    from sqlalchemy import func, select

    from gateway.cli.data import reading
    from gateway.hindsight import everything
    from gateway.schema import events

    with reading(Settings().data_dir) as connection, Progress(transient=True) as progress:
        total = connection.execute(select(func.max(events.c.seq))).scalar() or 0
        task = progress.add_task("replaying", total=total)
        for record in everything(connection):
            hindsight.take(record)
            if record.seq % 1000 == 0:
                progress.update(task, completed=record.seq)


def _tell(found: Decisions, policy: str) -> None:
    from router_models.evaluation import NotComparable, ips, recommended

    try:
        candidate = recommended(found)
    except NotComparable as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"as logged          {_shown(ips(found.with_target(found.propensities)))}")
    click.echo(f"{policy:<18} {_shown(candidate)}")
    click.echo(f"effective sample   {candidate.effective_sample_size:.0f}")
    click.echo(f"largest weight     {candidate.largest_weight:.1f}")
    if candidate.effective_sample_size < THIN:
        click.echo("The log has seldom done what this policy would do: the estimate rests mostly on a reward model.")


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.4f}  (95 %: {estimate.low:.4f} to {estimate.high:.4f})"
