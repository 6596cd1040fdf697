"""``polyculture backup`` and ``polyculture restore``: the whole installation as one file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from gateway.database import FILE, DataDirectoryBusy, NewerDatabase, connect, exclusive, migrate
from gateway.settings import Settings


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Write a consistent copy of the database to TARGET; the gateway may go on serving meanwhile."""
    source = Settings().data_dir / FILE
    if not source.exists():
        raise click.ClickException(f"there is no database in {source.parent}")
    if target.exists():
        raise click.ClickException(f"{target} exists; choose another name")
    partial = target.with_name(f"{target.name}.partial")
    try:
        _copy(source, partial)
        partial.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise click.ClickException(f"cannot back up {source} to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"backed up {source} to {target} ({target.stat().st_size / 1e6:.1f} MB)")


@click.command()
@click.argument("origin", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the database that is there.")
def restore(origin: Path, force: bool) -> None:
    """Put the database of a backup in place; the gateway must be stopped."""
    data_dir = Settings().data_dir
    target = data_dir / FILE
    _check(origin)
    if target.exists() and not force:
        raise click.ClickException(f"{target} exists; --force replaces it")
    try:
        with exclusive(data_dir):
            _put(origin, target)
    except (DataDirectoryBusy, NewerDatabase) as error:
        raise click.ClickException(str(error)) from error
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        raise click.ClickException(f"cannot restore {origin} to {target}: {error}") from error
    click.echo(f"restored {origin} to {target}")


def _put(origin: Path, target: Path) -> None:
    """Copy and migrate beside the target, which is replaced only once that has worked."""
    fresh = target.with_name("restoring.db")
    try:
        fresh.unlink(missing_ok=True)
        _copy(origin, fresh)
        migrate(connect(fresh.parent, file=fresh.name))
        for leftover in (f"{target}-wal", f"{target}-shm"):
            Path(leftover).unlink(missing_ok=True)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _copy(origin: Path, target: Path) -> None:
    """Copy a database into one file, within one read transaction: writes meanwhile do not make it begin again."""
    with _read(origin) as database, closing(sqlite3.connect(target)) as copy, _Progress() as show:
        database.execute("BEGIN")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        database.backup(copy, pages=1000, progress=show)
        copy.execute("PRAGMA journal_mode=DELETE")


def _check(origin: Path) -> None:
    try:
        with _read(origin) as database:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            database.execute("SELECT seq, kind, payload FROM events LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"{origin} is not a backup: {error}") from error
    if verdict != "ok":
        raise click.ClickException(f"{origin} is damaged: {verdict}")


def _read(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))


class _Progress:
    """A progress bar for SQLite's backup, which reports pages that remain."""

    def __enter__(self) -> _Progress:
        from rich.progress import Progress

        self._bar = Progress(transient=True)
        self._task = self._bar.add_task("pages")
        self._bar.start()
        return self

    def __call__(self, status: int, remaining: int, total: int) -> None:
        self._bar.update(self._task, total=total, completed=total - remaining)

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
