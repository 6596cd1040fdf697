"""``polyculture backup`` and ``polyculture restore``: the whole installation as one file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from gateway.database import FILE, DataDirectoryBusy, connect, exclusive, migrate
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
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as database,
        closing(sqlite3.connect(target)) as copy,
        _Progress() as show,
    ):
        database.backup(copy, pages=1000, progress=show)
    click.echo(f"backed up {source} to {target} ({target.stat().st_size / 1e6:.1f} MB)")


@click.command()
@click.argument("origin", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the database that is there.")
def restore(origin: Path, force: bool) -> None:
    """Put the database of a backup in place; the gateway must be stopped."""
    settings = Settings()
    target = settings.data_dir / FILE
    _check(origin)
    if target.exists() and not force:
        raise click.ClickException(f"{target} exists; --force replaces it")
    try:
        with exclusive(settings.data_dir):
            fresh = target.with_suffix(".restoring")
            fresh.unlink(missing_ok=True)
            with closing(sqlite3.connect(origin)) as copy, closing(sqlite3.connect(fresh)) as database:
                copy.backup(database)
            for leftover in (f"{target}-wal", f"{target}-shm"):
                Path(leftover).unlink(missing_ok=True)
            fresh.replace(target)
            migrate(connect(settings.data_dir))
    except DataDirectoryBusy as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"restored {origin} to {target}")


def _check(origin: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{origin}?mode=ro", uri=True)) as database:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            database.execute("SELECT count(*) FROM events").fetchone()
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"{origin} is not a backup: {error}") from error
    if verdict != "ok":
        raise click.ClickException(f"{origin} is damaged: {verdict}")


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
