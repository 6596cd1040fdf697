"""Whoever changes a saved state is found out: the log says otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gateway.archive import Archive, contents, pack, unpack
from gateway.cli import main
from gateway.database import begin
from gateway.events import FeedbackExcluded, PolicyChanged
from gateway.history import archives, refold
from gateway.npz import Contents
from gateway.schema import events, snapshots
from gateway.verification import verify
from router_models import make
from router_models.policy import InvalidState
from tests.log.conftest import Run
from tests.log.living import BEGINNING, Live, living
from tests.log.samples import answer, decision, feedback


def saved(connection: sa.Connection) -> list[int]:
    return sorted(archive.position for archive in archives(connection))


def replace(connection: sa.Connection, archive: Archive, *, position: int | None = None) -> None:
    """Put another state in the place of a saved one, with a checksum that fits."""
    row = {"checksum": archive.checksum, "archive": archive.data, "position": position or archive.position}
    with begin(connection):
        connection.execute(snapshots.update().where(snapshots.c.position == archive.position).values(**row))


def tampered(connection: sa.Connection, position: int) -> Contents:
    """The saved state there, with one belief raised a little."""
    archive = next(archives(connection, upto=position))
    found = contents(unpack(archive, make_policy=make))
    estimate = np.array(found["0/policy/estimate"])
    estimate[0, 0] += 1e-6
    return {**found, "0/policy/estimate": estimate}


async def teach(live: Live, rounds: int) -> None:
    for number in range(rounds):
        await live.say(decision("a", seed=number), answer("a"), feedback("a", number / rounds, seed=number))


@pytest.fixture
def connection(run: Run, engine: sa.Engine) -> sa.Connection:
    """A log of 63 events, with states saved at 33 and at 63."""

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING, tenant="")
            await teach(live, 10)
            await live.learner.save()
            await teach(live, 10)

    run(scenario())
    connection = engine.connect()
    assert saved(connection) == [33, 63]
    return connection


def test_what_is_sound_is_said_to_be(connection: sa.Connection) -> None:
    told: list[int] = []
    found = verify(connection, make_policy=make, progress=told.append)
    assert (found.events, found.feedback, found.largest) == (63, 20, 0.0)
    assert (found.versions, found.superseded) == ({33: 0.0, 63: 0.0}, [])
    assert found.saved == found.refolded == pack(contents(refold(connection, make_policy=make))).checksum
    assert told == list(range(1, 64))


def test_what_is_written_meanwhile_is_no_difference(connection: sa.Connection) -> None:
    def write(seq: int) -> None:
        if seq == 50:
            with connection.engine.connect() as another, begin(another):
                told = events.select().where(events.c.kind.in_(["decision", "feedback"])).order_by(events.c.seq.desc())
                rows = [{**row, "seq": row["seq"] + 10} for row in another.execute(told.limit(4)).mappings()]
                another.execute(events.insert(), rows)

    found = verify(connection, make_policy=make, progress=write)
    assert (found.events, found.largest, found.saved) == (63, 0.0, found.refolded)
    assert verify(connection, make_policy=make).events == 73


@pytest.mark.parametrize("position", [33, 63])
def test_a_changed_state_is_found_though_its_checksum_fits(
    connection: sa.Connection, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(connection, pack(tampered(connection, position)))
    found = verify(connection, make_policy=make)
    assert found.versions[position] == pytest.approx(1e-6, rel=1e-3)
    assert found.versions[96 - position] == 0.0
    assert (found.gap > 0) == (position == 63)
    monkeypatch.setenv("POLYCULTURE_DATA_DIR", str(connection.engine.url.database).rpartition("/")[0])
    told = CliRunner().invoke(main, ["router", "verify"])
    assert told.exit_code == 1
    assert "largest difference 1e-06" in told.output
    assert ("the saved state is not what the log says" if position == 63 else "those at 33") in told.output


def test_a_state_that_was_swapped_for_an_older_one_is_found(connection: sa.Connection) -> None:
    older, newer = archives(connection, upto=33), archives(connection)
    earlier, later = next(older), next(newer)
    fold = unpack(earlier, make_policy=make)
    fold.position = later.position
    replace(connection, pack(contents(fold)))
    assert verify(connection, make_policy=make).largest > 1e-9


def test_a_state_ahead_of_the_log_is_found(connection: sa.Connection) -> None:
    with begin(connection):
        connection.execute(events.delete().where(events.c.seq > 60))
    found = verify(connection, make_policy=make)
    assert found.versions == {33: 0.0, 63: math.inf}


def test_a_damaged_one_is_named(connection: sa.Connection) -> None:
    with begin(connection):
        connection.execute(snapshots.update().where(snapshots.c.position == 33).values(archive=b"nothing"))
    with pytest.raises(InvalidState, match="snapshot at 33 does not match its checksum"):
        verify(connection, make_policy=make)


def test_versions_from_before_the_past_was_changed_are_compared_as_they_were(
    connection: sa.Connection, run: Run
) -> None:
    async def scenario() -> None:
        async with living(connection.engine) as live:
            await live.rule(FeedbackExcluded(1, 40, "revoked"))
            await live.rule(PolicyChanged(1, "linucb", "{}"), tenant="")

    run(scenario())
    positions = saved(connection)
    found = verify(connection, make_policy=make)
    assert positions == [33, 63, 64, 65]
    assert (found.versions, found.superseded) == (dict.fromkeys(positions, 0.0), [])
    replace(connection, pack(tampered(connection, 33)))
    assert verify(connection, make_policy=make).versions[33] == pytest.approx(1e-6, rel=1e-3)


def test_states_under_controls_that_nobody_knows_are_told_apart(connection: sa.Connection) -> None:
    fold = unpack(next(archives(connection, upto=33)), make_policy=make)
    fold.saved = dict.fromkeys(fold.labels(), "of another log")
    replace(connection, pack(contents(fold)))
    found = verify(connection, make_policy=make)
    assert (found.versions, found.superseded, found.gap) == ({63: 0.0}, [33], 0.0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("policy", "linucb"),
        ("parameters", '{"alpha": 7.0}'),
        ("parameters", "no JSON"),
        ("embedder", "another"),
        ("lineage", 2),
        ("figures", '{"lessons": 99, "tenants": 1, "arms": 2}'),
        ("parent", "nonsense"),
        ("parent", "2.33"),
        ("parent", "1.63"),
        ("position", 64),
    ],
)
def test_a_row_that_tells_something_else_than_its_state_is_named(
    connection: sa.Connection, column: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verify(connection, make_policy=make).altered == {}
    with begin(connection):
        connection.execute(snapshots.update().where(snapshots.c.position == 63).values({column: value}))
    position = 64 if column == "position" else 63
    assert column in verify(connection, make_policy=make).altered[position]
    monkeypatch.setenv("POLYCULTURE_DATA_DIR", str(connection.engine.url.database).rpartition("/")[0])
    told = CliRunner().invoke(main, ["router", "verify"])
    assert told.exit_code == 1
    assert f"the row of the saved version at {position} was altered: {column}" in told.output


def test_rows_are_as_their_states_after_another_policy_and_a_rollback(connection: sa.Connection, run: Run) -> None:
    async def scenario() -> None:
        async with living(connection.engine) as live:
            await live.rule(PolicyChanged(1, "linucb", "{}"), tenant="")
            await teach(live, 3)
            await live.rule(FeedbackExcluded(34, 63, "rolled_back"))
            await live.rule(FeedbackExcluded(34, live.learner.fold.position, "rolled_back"), tenant="")

    run(scenario())
    assert len(saved(connection)) > 3
    assert verify(connection, make_policy=make).altered == {}
