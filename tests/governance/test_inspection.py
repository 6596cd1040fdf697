"""Whatever is done to an audit log is found, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from gateway.governance.audit import SIGNING, Audit, AuditEntry, AuditHead, entries, newest
from gateway.governance.inspection import Report, inspect
from gateway.governance.installation import Installation, fingerprint
from gateway.schema import audit, audit_head
from gateway.transaction import Transaction
from tests.governance.conftest import Record

#: Entries that a log to be tampered with has.
LENGTH = 9

Tamper = Callable[[str], object]


@pytest.fixture
def tamper(connection: sa.Connection, record: Record) -> Tamper:
    """Do something to a log of some length, in SQL."""
    for number in range(LENGTH - 1):
        record(at=number, detail={"number": number})
    return connection.exec_driver_sql


def faults(connection: sa.Connection, installation: Installation, *, held: AuditHead | None = None) -> list[int]:
    return [fault.seq for fault in inspect(connection, trusted=installation.public, held=held).faults]


def test_a_log_that_was_left_alone_is_sound(
    connection: sa.Connection, installation: Installation, tamper: Tamper
) -> None:
    report = inspect(connection, trusted=installation.public, held=newest(connection))
    assert report == Report(LENGTH, newest(connection), [], [])


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE audit SET action = 'router.unfreeze' WHERE seq = 5", [5]),
        ("UPDATE audit SET detail = CAST(x'ff' AS TEXT) WHERE seq = 5", [5]),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", [1]),
        ("UPDATE audit SET hash = '' WHERE seq = 5", [5, 6]),
        ("UPDATE audit SET previous = '' WHERE seq = 5", [5]),
        ("UPDATE audit SET signature = '00' WHERE seq = 5", [5]),
        ("DELETE FROM audit WHERE seq = 5", [5]),
        ("DELETE FROM audit WHERE seq < 4", [1]),
        ("DELETE FROM audit WHERE seq > 6", [7]),
        ("UPDATE audit SET seq = -seq WHERE seq = 5", [-5, 5]),
        ("UPDATE audit SET seq = 100 WHERE seq = 9", [9, 100, 10]),
        ("INSERT INTO audit SELECT 10, at, '', action, '', '', hash, hash, hash FROM audit WHERE seq = 9", [10]),
        ("DELETE FROM audit", [1]),
        ("DELETE FROM audit_head", [9]),
        ("UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8)", [9]),
        ("UPDATE audit_head SET public = 'x'", [9]),
        ("UPDATE audit_head SET signature = signature || '00'", [9]),
        ("UPDATE audit_head SET seq = 20", [9]),
        ("DROP TABLE audit_head", [9]),
        ("DROP TABLE audit", [1]),
        (f"UPDATE audit SET action = '{SIGNING}', detail = '{'[' * 100_000}' WHERE seq = 5", [5]),
    ],
)
def test_tampering_is_found_where_it_was_done(
    connection: sa.Connection, installation: Installation, tamper: Tamper, statement: str, at: list[int]
) -> None:
    tamper(statement)
    assert sorted(set(faults(connection, installation))) == sorted(set(at))


def test_two_entries_that_changed_places_are_found(
    connection: sa.Connection, installation: Installation, tamper: Tamper
) -> None:
    for one, other in ((4, 0), (7, 4), (0, 7)):
        tamper(f"UPDATE audit SET seq = {other} WHERE seq = {one}")
    assert faults(connection, installation)[0] == 4
    assert 7 in faults(connection, installation)


def put(connection: sa.Connection, entry: AuditEntry) -> None:
    connection.execute(audit.delete().where(audit.c.seq == entry.seq))
    connection.execute(audit.insert(), asdict(entry))


def test_who_has_no_key_cannot_rewrite_the_rest_either(
    connection: sa.Connection, installation: Installation, tamper: Tamper
) -> None:
    written = entries(connection)
    last = replace(written[4], detail="{}")
    for entry in [last, *written[5:]]:
        previous = written[3].hash if entry.seq == 5 else last.hash
        last = replace(entry, previous=previous)
        last = replace(last, hash=last.digest())
        put(connection, last)
    assert faults(connection, installation)[0] == 5


def test_who_signs_with_a_key_of_their_own_is_found(
    connection: sa.Connection, installation: Installation, tamper: Tamper, tmp_path: Path
) -> None:
    tamper("DELETE FROM audit WHERE seq > 5")
    hash_of_5 = entries(connection, after=4)[0].hash
    connection.execute(audit_head.update().values(seq=5, hash=hash_of_5))
    (tmp_path / "theirs").mkdir()
    theirs = Audit(installation=Installation(data_dir=tmp_path / "theirs"))
    theirs.record(Transaction(connection=connection, position=0), actor="admin", action="router.freeze")
    found = inspect(connection, trusted=installation.public)
    assert {fault.seq for fault in found.faults} == {6, 7}
    assert "another installation's key signs from here on" in str(found.faults)


def test_a_log_that_moved_to_another_installation_goes_on_there(
    connection: sa.Connection, installation: Installation, tamper: Tamper, tmp_path: Path
) -> None:
    held = newest(connection)
    (tmp_path / "new").mkdir()
    new = Installation(data_dir=tmp_path / "new")
    Audit(installation=new).record(
        Transaction(connection=connection, position=0), actor="admin", action="router.freeze"
    )
    report = inspect(connection, trusted=new.public, held=held)
    assert report.faults == []
    assert report.foreign == [(LENGTH, fingerprint(installation.public))]
    tamper("UPDATE audit SET actor = 'nobody' WHERE seq = 3")
    assert faults(connection, new) == [3]


def test_an_older_database_put_back_is_found_by_a_head_held_outside(
    connection: sa.Connection, installation: Installation, tamper: Tamper, record: Record
) -> None:
    older = newest(connection)
    assert older is not None
    record()
    held = newest(connection)
    assert faults(connection, installation, held=older) == []
    tamper(f"DELETE FROM audit WHERE seq > {older.seq}")
    connection.execute(audit_head.update().values(**asdict(older)))
    assert faults(connection, installation) == []
    assert faults(connection, installation, held=held) == [older.seq + 1]
    record("router.unfreeze")
    assert faults(connection, installation) == []
    assert faults(connection, installation, held=held) == [older.seq + 1]


def test_a_head_that_nobody_signed_proves_nothing(
    connection: sa.Connection, installation: Installation, tamper: Tamper
) -> None:
    head = newest(connection)
    assert head is not None
    assert faults(connection, installation, held=replace(head, seq=4)) == [4, 4]


def test_what_is_cut_off_while_the_gateway_runs_does_not_grow_over(
    connection: sa.Connection, installation: Installation, tamper: Tamper, record: Record
) -> None:
    tamper("DELETE FROM audit WHERE seq > 6")
    record()
    assert faults(connection, installation) == [7]
    tamper("DELETE FROM audit_head")
    record()
    assert faults(connection, installation)[:2] == [7, 11]


FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "previous", "hash", "signature")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(1, LENGTH), field=st.sampled_from(FIELDS), value=st.one_of(st.integers(-5, 99), st.text()))
def test_any_other_value_anywhere_is_found(
    connection: sa.Connection, installation: Installation, tamper: Tamper, row: int, field: str, value: int | str
) -> None:
    written = entries(connection)
    changed = asdict(written[row - 1]) | {field: value if field != "seq" else hash(value) % 99 + 100}
    if str(changed[field]) == str(getattr(written[row - 1], field)):
        return
    connection.execute(audit.delete().where(audit.c.seq == row))
    connection.execute(audit.insert(), changed)
    found = faults(connection, installation)
    put(connection, written[row - 1])
    connection.execute(audit.delete().where(audit.c.seq > LENGTH))
    assert found[0] in {row, row + 1}
    assert faults(connection, installation) == []
