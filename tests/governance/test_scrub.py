"""What was deleted is in no file any more, once nobody reads an older state."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.database import FILE
from gateway.governance import scrub as module
from gateway.governance.scrub import Busy, emptied, scrub
from gateway.schema import prompts

MARKER = "the marker of a prompt"


@pytest.fixture
def deleted(connection: sa.Connection) -> sa.Connection:
    """A database in which a marker was, among other things."""
    row = {"tenant": "acme", "at": 1, "text": MARKER * 100}
    connection.execute(prompts.insert(), [{**row, "subject": bytes([number])} for number in range(100)])
    connection.execute(prompts.delete())
    return connection


def left(folder: Path) -> bool:
    return any(MARKER.encode() in path.read_bytes() for path in folder.glob(f"{FILE}*"))


def test_no_byte_is_left(deleted: sa.Connection, tmp_path: Path) -> None:
    assert left(tmp_path)
    scrub(deleted)
    assert not left(tmp_path)
    assert (tmp_path / f"{FILE}-wal").stat().st_size == 0


def test_readers_of_an_older_state_are_waited_for(deleted: sa.Connection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM prompts").fetchone()
        working = threading.Thread(target=scrub, args=(deleted,))
        working.start()
        working.join(0.3)
        assert working.is_alive()
        assert left(tmp_path)
    working.join()
    assert not left(tmp_path)


def test_who_reads_for_ever_is_told_of(deleted: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    deleted.exec_driver_sql("PRAGMA busy_timeout=100")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM prompts").fetchone()
        with pytest.raises(Busy, match="still in its write-ahead log"):
            scrub(deleted)


def test_the_log_alone_is_emptied_without_waiting_for_readers(deleted: sa.Connection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM prompts").fetchone()
        begun = time.monotonic()
        assert not emptied(deleted)
        assert time.monotonic() - begun < 2.0
        assert left(tmp_path)
    assert emptied(deleted)
    assert not left(tmp_path)
    assert (tmp_path / f"{FILE}-wal").stat().st_size == 0
