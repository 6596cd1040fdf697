"""Leaving no byte behind: what was deleted goes from the database's files, and from its write-ahead log."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa

#: Longest wait for readers of an older state to end, in seconds, and how often that is tried.
PATIENCE_S, STEP_S = 60.0, 0.05

#: Longest wait for others while nobody can write, in milliseconds.
BLOCK_MS = 50


class Busy(RuntimeError):
    """A long reader, such as a backup, still holds on to what was deleted."""


def scrub(connection: sa.Connection) -> None:
    """Rewrite the file without what was deleted, and empty the write-ahead log.

    Nobody else can write meanwhile, about a second for each 100 MB; readers go on. Raises :class:`Busy`.
    """
    raw: Any = connection.connection.dbapi_connection
    raw.execute("VACUUM")
    until = time.monotonic() + PATIENCE_S
    while raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until:
            raise Busy("the database is being read for a long time: what was deleted is still in its write-ahead log")
        time.sleep(STEP_S)


def emptied(connection: sa.Connection) -> bool:
    """Empty the write-ahead log, most of it while others write; ``False`` where that did not work for now."""
    raw: Any = connection.connection.dbapi_connection
    patience = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    try:
        raw.execute(f"PRAGMA busy_timeout={BLOCK_MS}")
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error:
        return False
    finally:
        raw.execute(f"PRAGMA busy_timeout={patience}")
