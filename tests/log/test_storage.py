"""``polyculture backup``, ``restore`` and ``router verify``, as their users run them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from gateway.archive import contents, pack
from gateway.cli import main
from gateway.database import FILE, begin, connect, exclusive, migrate
from gateway.history import refold, restore
from gateway.schema import events, snapshots
from gateway.transaction import Transaction
from gateway.versions.version import Meaning, write
from router_models import make
from tests.log.samples import TENANT, answer, arm, decision, feedback, started

Polyculture = Callable[..., Result]


@pytest.fixture
def polyculture(tmp_path: Path) -> Polyculture:
    """Run the command on the data in ``tmp_path/data``, or in another folder beside it."""

    def run(*arguments: str | Path, data: str = "data") -> Result:
        environment = {"POLYCULTURE_DATA_DIR": str(tmp_path / data), "COLUMNS": "200"}
        return CliRunner().invoke(main, [*map(str, arguments)], env=environment)

    return run


def append(connection: sa.Connection, position: int, *, rounds: int) -> int:
    """Log a few requests; where the log ends then."""
    transaction = Transaction(connection=connection, position=position)
    with begin(connection):
        for event in [] if position else [started(), arm("a"), arm("b")]:
            transaction.append(event, tenant="")
        for number in range(rounds):
            for told in (decision("a", seed=number), answer("a"), feedback("a", (number % 10) / 10, seed=number)):
                transaction.append(told, tenant=TENANT, subject=number.to_bytes(16, "big"))
        transaction.flush()
    return transaction.position


def save(connection: sa.Connection, *, upto: int) -> None:
    fold = refold(connection, make_policy=make, upto=upto)
    meaning = Meaning.of(fold, parent=0, reason="routine")
    with begin(connection):
        write(pack(contents(fold)), meaning, Transaction(connection=connection, position=upto))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with some history, and a snapshot on the way."""
    engine = connect(tmp_path / "data")
    migrate(engine)
    with engine.connect() as connection:
        end = append(connection, 0, rounds=50)
        save(connection, upto=end - 40)
    return tmp_path / "data"


def state(folder: Path) -> str:
    with connect(folder).connect() as connection:
        return pack(contents(restore(connection, make_policy=make))).checksum


def test_a_backup_restored_elsewhere_is_the_same(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    made = polyculture("backup", tmp_path / "copy.db")
    assert made.exit_code == 0, made.output
    assert "backed up" in made.output
    assert (tmp_path / "copy.db").read_bytes()[18:20] == b"\1\1"  # not WAL: one file is all of it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"]
    put = polyculture("restore", tmp_path / "copy.db", data="elsewhere")
    assert put.exit_code == 0, put.output
    assert state(tmp_path / "elsewhere") == state(data)
    assert sorted(path.name for path in (tmp_path / "elsewhere").glob("*.db*") if path.stat().st_size) == [FILE]
    assert polyculture("router", "verify", data="elsewhere").exit_code == 0


def test_a_backup_while_a_gateway_writes_is_one_moment_of_it(
    data: Path, tmp_path: Path, polyculture: Polyculture
) -> None:
    stop = threading.Event()
    ends: list[int] = []

    def write() -> None:
        with connect(data).connect() as connection:
            position = 153
            while not stop.is_set():
                position = append(connection, position, rounds=200)
                ends.append(position)

    with connect(data).connect() as connection:
        append(connection, 153, rounds=8000)  # several steps of a backup long
        connection.execute(events.delete().where(events.c.seq > 153))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not ends:
            stop.wait(0.01)
        made = polyculture("backup", tmp_path / "copy.db")
    finally:
        stop.set()
        writer.join()
    assert made.exit_code == 0, made.output
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        last, count = copy.execute("SELECT max(seq), count(*) FROM events").fetchone()
    assert last == count
    assert last in ends  # whole transactions, and not a bit of a later one


def test_a_gateway_must_be_stopped_for_a_restore(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    polyculture("backup", tmp_path / "copy.db")
    with exclusive(data):
        refused = polyculture("restore", tmp_path / "copy.db", "--force")
    assert refused.exit_code == 1
    assert "another gateway is using" in refused.output


def test_what_is_there_is_replaced_only_by_force(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    polyculture("backup", tmp_path / "copy.db")
    before = state(data)
    with connect(data).connect() as connection:
        append(connection, 153, rounds=10)
        after = state(data)
        refused = polyculture("restore", tmp_path / "copy.db")
        assert refused.exit_code == 1
        assert "exists; --force replaces it" in refused.output
        assert state(data) == after
    put = polyculture("restore", tmp_path / "copy.db", "--force")
    assert put.exit_code == 0, put.output
    assert state(data) == before


def test_a_backup_overwrites_nothing(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    (tmp_path / "precious").write_text("mine")
    refused = polyculture("backup", tmp_path / "precious")
    assert refused.exit_code == 1
    assert "exists; choose another name" in refused.output
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_backup_that_fails_leaves_nothing_behind(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    failed = polyculture("backup", tmp_path / "no such folder" / "copy.db")
    assert failed.exit_code == 1
    assert "cannot back up" in failed.output
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_there_must_be_something_to_back_up(tmp_path: Path, polyculture: Polyculture) -> None:
    for command in (["backup", str(tmp_path / "copy.db")], ["router", "verify"]):
        refused = polyculture(*command)
        assert refused.exit_code == 1
        assert "there is no database in" in refused.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"SQLite format 3\x00" + bytes(200), b"\x00" * 5000])
def test_garbage_is_not_restored(data: Path, tmp_path: Path, polyculture: Polyculture, garbage: bytes) -> None:
    (tmp_path / "garbage.db").write_bytes(garbage)
    before = state(data)
    refused = polyculture("restore", tmp_path / "garbage.db", "--force")
    assert refused.exit_code == 1
    assert "is not a backup" in refused.output
    assert state(data) == before


def test_another_program_s_database_is_not_restored(tmp_path: Path, polyculture: Polyculture) -> None:
    with closing(sqlite3.connect(tmp_path / "notes.db")) as database:
        database.execute("CREATE TABLE notes (text)")
    refused = polyculture("restore", tmp_path / "notes.db")
    assert refused.exit_code == 1
    assert "is not a backup: no such table: events" in refused.output
    assert not (tmp_path / "data").exists()


def test_a_damaged_backup_is_not_restored(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    polyculture("backup", tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    (tmp_path / "copy.db").write_bytes(whole[: len(whole) // 2] + bytes(4096) + whole[len(whole) // 2 + 4096 :])
    refused = polyculture("restore", tmp_path / "copy.db", data="elsewhere")
    assert refused.exit_code == 1
    assert "is damaged" in refused.output or "is not a backup" in refused.output


def test_a_newer_version_s_backup_is_not_restored(data: Path, tmp_path: Path, polyculture: Polyculture) -> None:
    polyculture("backup", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
        copy.commit()
    before = state(data)
    refused = polyculture("restore", tmp_path / "copy.db", "--force")
    assert refused.exit_code == 1
    assert "schema 9999: upgrade" in refused.output
    assert state(data) == before
    assert not (data / "restoring.db").exists()


def test_verifying_compares_the_saved_state_with_the_log(data: Path, polyculture: Polyculture) -> None:
    told = polyculture("router", "verify")
    assert told.exit_code == 0, told.output
    lines = dict(line.rsplit(maxsplit=1) for line in told.output.splitlines() if line)
    assert lines["events folded"] == "153"
    assert lines["feedback counted"] == "50"
    assert lines["saved state"] == lines["refolded state"]
    assert lines["largest difference"] == "0"


def test_verifying_finds_a_state_that_the_log_does_not_explain(data: Path, polyculture: Polyculture) -> None:
    with connect(data).connect() as connection, begin(connection):
        connection.execute(events.delete().where(events.c.seq == 50))
    told = polyculture("router", "verify")
    assert told.exit_code == 1
    assert "is not what the log says" in told.output


def test_verifying_finds_a_damaged_snapshot(data: Path, polyculture: Polyculture) -> None:
    with connect(data).connect() as connection, begin(connection):
        connection.execute(snapshots.update().values(archive=b"nothing"))
    told = polyculture("router", "verify")
    assert told.exit_code == 1
    assert "does not match its checksum" in told.output


def test_verifying_refuses_what_other_versions_wrote(data: Path, polyculture: Polyculture) -> None:
    with connect(data).connect() as connection:
        with begin(connection):
            connection.execute(events.update().where(events.c.seq == 150).values(kind="rollback"))
        told = polyculture("router", "verify")
        assert told.exit_code == 1
        assert "only a newer version knows" in told.output
        with begin(connection):
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    told = polyculture("router", "verify")
    assert told.exit_code == 1
    assert "another version wrote this database" in told.output
