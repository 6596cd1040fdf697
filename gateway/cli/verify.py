"""``polyculture router verify``: what was learned, checked against the log."""

from __future__ import annotations

from collections.abc import Callable

import click
import sqlalchemy as sa
from rich.progress import Progress, TaskID

from gateway.database import FILE, HEAD, connect, revision
from gateway.events import UnknownEvent
from gateway.schema import events
from gateway.settings import Settings
from gateway.verification import Verification
from gateway.verification import verify as verification
from router_models import make
from router_models.policy import InvalidState

#: Largest difference between the saved and the refolded state that still counts as none.
TOLERANCE = 1e-9


@click.command()
def verify() -> None:
    """Fold the whole log anew and compare with the saved state; exits 1 on any difference."""
    settings = Settings()
    if not (settings.data_dir / FILE).exists():
        raise click.ClickException(f"there is no database in {settings.data_dir}")
    with connect(settings.data_dir).connect() as connection:
        if revision(connection) != HEAD:
            raise click.ClickException("another version wrote this database; start this version's gateway once")
        total = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
        try:
            with Progress(transient=True) as progress:
                task = progress.add_task("folding", total=total)
                found = verification(connection, make_policy=make, progress=_seldom(progress, task))
        except (InvalidState, UnknownEvent) as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"events folded      {found.events}")
    click.echo(f"feedback counted   {found.feedback}")
    click.echo(f"versions compared  {len(found.versions)}")
    click.echo(f"versions superseded {len(found.superseded)}")
    click.echo(f"saved state        {found.saved}")
    click.echo(f"refolded state     {found.refolded}")
    click.echo(f"largest difference {found.largest:g}")
    if wrong := _wrong(found):
        raise click.ClickException("; ".join(wrong))


def _wrong(found: Verification) -> list[str]:
    """What is not as the log says."""
    wrong = ["the saved state is not what the log says"] if found.gap > TOLERANCE else []
    positions = [str(position) for position, gap in sorted(found.versions.items()) if gap > TOLERANCE]
    if positions:
        wrong.append(f"saved versions are not what the log says: those at {', '.join(positions)}")
    for position, columns in sorted(found.altered.items()):
        wrong.append(f"the row of the saved version at {position} was altered: {', '.join(columns)}")
    return wrong


def _seldom(progress: Progress, task: TaskID) -> Callable[[int], None]:
    """Draws the bar anew now and then."""

    def update(seq: int) -> None:
        if seq % 1000 == 0:
            progress.update(task, completed=seq)

    return update
