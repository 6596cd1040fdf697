"""``polyculture router verify``: what was learned, checked against the log."""

from __future__ import annotations

import click
import sqlalchemy as sa
from rich.progress import Progress

from gateway.archive import contents, difference, pack, unpack
from gateway.database import FILE, HEAD, connect, revision
from gateway.events import UnknownEvent
from gateway.fold import Fold
from gateway.history import archives, records
from gateway.schema import events
from gateway.settings import Settings
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
        newest = next(archives(connection), None)
        try:
            saved = unpack(newest, make_policy=make) if newest is not None else Fold(make_policy=make)
            anew = _refold(connection, saved)
        except (InvalidState, UnknownEvent) as error:
            raise click.ClickException(str(error)) from error
    one, other = contents(saved), contents(anew)
    gap = difference(one, other)
    click.echo(f"events folded     {anew.position}")
    click.echo(f"feedback counted  {anew.lessons}")
    click.echo(f"saved state       {pack(one).checksum}")
    click.echo(f"refolded state    {pack(other).checksum}")
    click.echo(f"largest difference {gap:g}")
    if gap > TOLERANCE:
        raise click.ClickException("the saved state is not what the log says")


def _refold(connection: sa.Connection, saved: Fold) -> Fold:
    """Fold everything from the first event; bring ``saved`` to the log's end on the way."""
    fold, snapshot_at = Fold(make_policy=make), saved.position
    total = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
    with Progress(transient=True) as progress:
        task = progress.add_task("folding", total=total)
        for record in records(connection, upto=total):
            fold.apply(record)
            if record.seq > snapshot_at:
                saved.apply(record)
            if record.seq % 1000 == 0:
                progress.update(task, completed=record.seq)
    return fold
