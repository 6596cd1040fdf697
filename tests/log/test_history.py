"""Reading the log back, from the newest sound snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.database import begin
from gateway.events import Event, UnknownEvent
from gateway.fold import Fold
from gateway.history import archives, records, refold, restore
from gateway.schema import events, snapshots
from gateway.transaction import Record, Transaction
from router_models import make
from tests.log.conftest import Logged
from tests.log.samples import TENANT, answer, arm, decision, feedback, started

LIFE: list[Event] = [started(), arm("a"), arm("b")]
for round_ in range(20):
    LIFE += [decision("a", seed=round_), answer("a"), feedback("a", round_ / 20, seed=round_)]


class Counting(Fold):
    """A fold that remembers which records it was given."""

    def __init__(self, *, make_policy: object = make) -> None:
        super().__init__(make_policy=make)
        self.given: list[int] = []

    def apply(self, record: Record) -> bool:
        self.given.append(record.seq)
        return super().apply(record)


def write(connection: sa.Connection, life: Sequence[Event]) -> None:
    with begin(connection):
        transaction = Transaction(connection=connection, position=0)
        for event in life:
            transaction.append(event, tenant=TENANT, subject=bytes(16))
        transaction.flush()


def save(connection: sa.Connection, fold: Fold, *, checksum: str | None = None) -> None:
    archive = pack(contents(fold))
    with begin(connection):
        connection.execute(
            snapshots.insert(),
            {
                "position": archive.position,
                "at": 0,
                "checksum": checksum or archive.checksum,
                "archive": archive.data,
            },
        )


@pytest.fixture
def connection(engine: sa.Engine) -> sa.Connection:
    connection = engine.connect()
    write(connection, LIFE)
    return connection


def test_without_a_snapshot_everything_is_folded(connection: sa.Connection) -> None:
    fold = restore(connection, make_policy=make)
    assert fold.position == len(LIFE)
    assert (fold.base, fold.lessons) == (0, 20)
    assert pack(contents(fold)) == pack(contents(refold(connection, make_policy=make)))


def test_with_a_snapshot_only_what_came_after_is_folded(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = refold(connection, make_policy=make)
    for position in (10, 50):
        save(connection, refold(connection, make_policy=make, upto=position))
    monkeypatch.setattr("gateway.archive.Fold", Counting)
    fold = restore(connection, make_policy=make)
    assert isinstance(fold, Counting)
    assert fold.given == list(range(51, len(LIFE) + 1))
    assert fold.base == 50
    assert pack(contents(fold)) == pack(contents(whole))


def test_a_damaged_snapshot_is_passed_over(connection: sa.Connection, logged: Logged) -> None:
    whole = refold(connection, make_policy=make)
    save(connection, refold(connection, make_policy=make, upto=10))
    save(connection, refold(connection, make_policy=make, upto=50), checksum="wrong")
    fold = restore(connection, make_policy=make)
    assert fold.base == 10
    assert pack(contents(fold)) == pack(contents(whole))
    assert [(line["event"], line["log_level"]) for line in logged] == [("snapshot_refused", "warning")]
    assert "the snapshot at 50 does not match its checksum" in logged[0]["error"]


def test_with_no_sound_snapshot_everything_is_folded(connection: sa.Connection) -> None:
    for position in (10, 50):
        save(connection, refold(connection, make_policy=make, upto=position), checksum="wrong")
    fold = restore(connection, make_policy=make)
    assert (fold.base, fold.position) == (0, len(LIFE))


def test_snapshots_come_newest_first(connection: sa.Connection) -> None:
    for position in (10, 50, 30):
        save(connection, refold(connection, make_policy=make, upto=position))
    assert [archive.position for archive in archives(connection)] == [50, 30, 10]


def test_a_snapshot_that_is_dropped_in_the_meantime_is_passed_over(connection: sa.Connection) -> None:
    for position in (10, 30, 50):
        save(connection, refold(connection, make_policy=make, upto=position))
    found = archives(connection)
    newest = next(found)
    with begin(connection):
        connection.execute(snapshots.delete().where(snapshots.c.position == 30))
    assert [newest.position, *(archive.position for archive in found)] == [50, 10]


def test_a_prefix_can_be_folded(connection: sa.Connection) -> None:
    assert refold(connection, make_policy=make, upto=30).position == 30
    assert [each.seq for each in records(connection, after=20, upto=23)] == [21, 22, 23]


def test_a_damaged_event_is_told_and_passed_over(connection: sa.Connection, logged: Logged) -> None:
    with begin(connection):
        connection.execute(events.update().where(events.c.seq == 6).values(payload=b"\xff\xff"))
    fold = restore(connection, make_policy=make)
    assert (fold.position, fold.lessons) == (len(LIFE), 19)
    assert [(line["event"], line["seq"]) for line in logged] == [("event_damaged", 6)]


def test_an_event_of_a_later_version_is_refused_clearly(connection: sa.Connection) -> None:
    with begin(connection):
        connection.execute(events.update().where(events.c.seq == 60).values(kind="rollback"))
    with pytest.raises(UnknownEvent, match="kind 'rollback', which only a newer version knows: upgrade"):
        restore(connection, make_policy=make)
