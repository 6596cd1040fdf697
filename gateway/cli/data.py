"""Commands that read a data directory themselves, whether or not a gateway runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.database import FILE, HEAD, connect, revision
from gateway.events import UnknownEvent

if TYPE_CHECKING:
    import sqlalchemy as sa


@contextmanager
def reading(folder: Path) -> Iterator[sa.Connection]:
    """A connection to the database there. Raises ``ClickException`` where this version cannot read it."""
    if not (folder / FILE).exists():
        raise click.ClickException(f"there is no database in {folder}")
    with connect(folder).connect() as connection:
        if revision(connection) != HEAD:
            raise click.ClickException("another version wrote this database; start this version's gateway once")
        try:
            yield connection
        except UnknownEvent as error:
            raise click.ClickException(str(error)) from error
