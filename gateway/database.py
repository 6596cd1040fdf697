"""Opening the system of record: SQLite in WAL mode with full synchronisation, migrated to the newest schema."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

T = TypeVar("T")

#: The newest migration. Where a database says this already, Alembic need not even be imported.
HEAD = "0009"

FILE = "polyculture.db"


class DataDirectoryBusy(RuntimeError):
    """Another gateway runs on this data directory."""


class NewerDatabase(LookupError):
    """A newer version brought the database to a schema that this one does not know."""


def connect(data_dir: Path, *, file: str = FILE) -> sa.Engine:
    """An engine on the data directory's database; commits survive power loss (``synchronous=FULL``)."""
    data_dir.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(data_dir / file)),
        poolclass=NullPool,
        hide_parameters=True,  # an error that is logged must not tell what was said
        connect_args={"check_same_thread": False, "timeout": 10},
    )
    sa.event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by hand: see begin()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def begin(connection: sa.Connection) -> Iterator[None]:
    """A write transaction: taken at once, committed at the end, rolled back on any error."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("ROLLBACK")
        raise


@contextmanager
def moment(connection: sa.Connection) -> Iterator[None]:
    """Everything read meanwhile is as it was at the first look, whatever a running gateway writes."""
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")


def send(connection: sa.Connection, statement: str, values: tuple[Any, ...]) -> None:
    """Have the driver execute a statement of its own dialect, without results. Raises what SQLAlchemy would.

    It spares what ``exec_driver_sql`` does around it, for which a lone request would wait with every batch of the log.
    """
    driver = connection.dialect.loaded_dbapi.Error
    try:
        connection.connection.cursor().execute(statement, values)
    except driver as error:
        raise DBAPIError.instance(statement, None, error, driver) from error


async def look(engine: sa.Engine, read: Callable[[sa.Connection], T]) -> T:
    """What ``read`` finds in the database, in a thread and over a connection of its own."""

    def reading() -> T:
        with engine.connect() as connection:
            return read(connection)

    return await asyncio.to_thread(reading)


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to ``HEAD``; quick where it is there already. Raises :class:`NewerDatabase`."""
    with engine.connect() as connection:
        now = revision(connection)
        if now == HEAD:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        if now not in (None, *(each.revision for each in ScriptDirectory.from_config(config).walk_revisions())):
            raise NewerDatabase(f"a newer version brought the database to schema {now}: upgrade to that version")
        with begin(connection):
            command.upgrade(config, "head")


def revision(connection: sa.Connection) -> str | None:
    """The newest migration that this database has seen; ``None`` for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for one gateway. Raises :class:`DataDirectoryBusy`.

    The lock is the operating system's, so it ends with the process, however that ends.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataDirectoryBusy(
                f"another gateway is using {data_dir}; stop it, or set POLYCULTURE_DATA_DIR to another directory"
            ) from error
        yield
