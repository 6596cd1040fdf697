"""What control events say of the past."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gateway.controls import Controls, control
from gateway.database import begin
from gateway.events import (
    CONTROLS,
    EVERYONE,
    POOL,
    Control,
    Erased,
    Event,
    FeedbackExcluded,
    FeedbackReleased,
    PolicyChanged,
    ShadowSet,
)
from gateway.schema import RARE, events
from gateway.transaction import Record, Transaction
from tests.log.samples import TENANT, arm, decision, feedback, started


def said(seq: int, event: Event, *, tenant: str = TENANT, source: str | None = None) -> Record:
    return Record(seq, 0, event.kind, tenant, bytes(16), source, event)


def outcome(seq: int, *, tenant: str = TENANT, source: str = "key") -> Record:
    return said(seq, feedback("a", 1.0), tenant=tenant, source=source)


def digest(controls: Controls, position: int, *tenants: str, lineage: int = 1) -> str:
    return controls.digest(position=position, tenants=tenants or (TENANT,), lineage=lineage)


def test_feedback_counts_unless_it_is_excluded() -> None:
    controls = Controls(records=[said(9, FeedbackExcluded(3, 5, "revoked"))])
    assert [seq for seq in range(1, 9) if controls.excludes(outcome(seq))] == [3, 4, 5]
    assert not controls.excludes(outcome(4, tenant="acme"))


def test_an_exclusion_of_everyone_s_holds_for_each_and_never_for_what_comes_later() -> None:
    controls = Controls(records=[said(6, FeedbackExcluded(3, 100, "revoked"), tenant=EVERYONE)])
    assert [seq for seq in range(1, 9) if controls.excludes(outcome(seq, tenant="acme"))] == [3, 4, 5]


@pytest.mark.parametrize(
    ("named", "left_out"),
    [
        (None, ["key", "key/ann", "key/bob", "keys"]),
        ([], []),
        (["key"], ["key"]),
        (["key/ann", "keys"], ["key/ann", "keys"]),
        (["key/"], ["key/ann", "key/bob"]),
    ],
)
def test_sources_are_named_whole_or_by_their_key(named: list[str] | None, left_out: list[str]) -> None:
    controls = Controls(records=[said(9, FeedbackExcluded(1, 8, "revoked", named))])
    sources = ["key", "key/ann", "key/bob", "keys"]
    assert [source for source in sources if controls.excludes(outcome(2, source=source))] == left_out


def test_a_release_counts_only_if_what_it_releases_does_and_it_was_not_rolled_back() -> None:
    lesson = feedback("a", 1.0).lesson
    assert lesson is not None
    late = said(7, FeedbackReleased(2, 1.0, 1.0, lesson), source="key")
    assert not Controls(records=[said(9, FeedbackExcluded(7, 7, "revoked"))]).excludes(late)
    for place in (6, 9):
        assert Controls(records=[said(place, FeedbackExcluded(2, 2, "rejected"))]).excludes(late)
    assert Controls(records=[said(9, FeedbackExcluded(5, 8, "rolled_back"))]).excludes(late)


def test_a_rollback_undoes_the_rollbacks_in_its_range_for_those_it_speaks_of() -> None:
    first = said(10, FeedbackExcluded(3, 9, "rolled_back"), tenant=EVERYONE)
    forward = said(20, FeedbackExcluded(10, 19, "rolled_back"))
    controls = Controls(records=[first, forward])
    assert [seq for seq in range(1, 20) if controls.excludes(outcome(seq))] == list(range(10, 20))
    assert [seq for seq in range(1, 20) if controls.excludes(outcome(seq, tenant="acme"))] == list(range(3, 10))
    again = Controls(records=[first, forward, said(30, FeedbackExcluded(15, 29, "rolled_back"))])
    assert [seq for seq in range(1, 30) if again.excludes(outcome(seq))] == [*range(3, 10), *range(15, 30)]
    revoked = Controls(records=[said(10, FeedbackExcluded(3, 9, "revoked")), forward])
    assert revoked.excludes(outcome(5))


def test_the_last_policy_said_of_a_lineage_holds_unless_it_was_rolled_back() -> None:
    one, other = PolicyChanged(1, "linucb", "{}"), PolicyChanged(1, "random", "{}")
    records = [said(5, one, tenant=EVERYONE), said(8, other, tenant=EVERYONE)]
    assert Controls(records=records).policy(1) == other
    assert Controls(records=records).policy(2) is None
    records.append(said(9, FeedbackExcluded(7, 8, "rolled_back"), tenant=EVERYONE))
    assert Controls(records=records).policy(1) == one


def test_a_shadow_ends_when_another_is_set_or_none() -> None:
    shadow = ShadowSet(1, "linucb", "{}", 0.1)
    assert Controls(records=[said(5, shadow)]).shadow(1) == shadow
    assert Controls(records=[said(5, shadow)]).shadow(2) is None
    assert Controls(records=[said(5, shadow), said(6, ShadowSet(1, ""))]).shadow(1) is None


def test_a_digest_changes_with_what_it_is_of_and_with_nothing_else() -> None:
    none = Controls()
    some = Controls(records=[said(9, FeedbackExcluded(3, 5, "revoked"))])
    assert digest(some, 2) == digest(none, 2) == digest(none, 8) == digest(some, 8, "acme")
    assert len({digest(some, position) for position in (2, 3, 4, 5)}) == 4
    assert digest(some, 5) == digest(some, 8)
    policy = Controls(records=[said(9, PolicyChanged(1, "linucb", "{}"), tenant=EVERYONE)])
    assert digest(policy, 2) != digest(none, 2)
    assert digest(policy, 2, lineage=3) == digest(none, 2)
    gone = Controls(records=[said(9, Erased(4, "token"), tenant=EVERYONE)])
    assert digest(gone, 8) == digest(none, 8)
    assert digest(gone, 3, POOL) == digest(none, 3, POOL)
    assert digest(gone, 4, POOL) != digest(none, 4, POOL)


@pytest.fixture
def connection(engine: sa.Engine) -> sa.Connection:
    return engine.connect()


def write(connection: sa.Connection, *life: Event) -> None:
    with begin(connection):
        transaction = Transaction(connection=connection, position=0)
        for event in life:
            if isinstance(event, Control):
                assert control(transaction, event, tenant=TENANT) == transaction.position
            else:
                transaction.append(event, tenant=TENANT, subject=bytes(16))
        transaction.flush()


def test_controls_are_read_from_a_prefix_of_the_log(connection: sa.Connection) -> None:
    first, second = FeedbackExcluded(4, 4, "rejected"), FeedbackExcluded(5, 5, "rejected")
    write(connection, started(), arm("a"), decision("a"), feedback("a", 1.0), feedback("a", 0.5), first, second)
    assert [Controls.read(connection).excludes(outcome(seq)) for seq in (4, 5)] == [True, True]
    assert [Controls.read(connection, upto=6).excludes(outcome(seq)) for seq in (4, 5)] == [True, False]


def test_reading_controls_does_not_read_the_log(connection: sa.Connection) -> None:
    query = sa.select(events).where(RARE, events.c.kind.in_(CONTROLS), events.c.seq <= 5).order_by(events.c.seq)
    said = str(query.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}").all())
    assert "SEARCH events USING INDEX events_rare" in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (1, 5)])
def test_a_range_that_is_none_is_refused(connection: sa.Connection, first: int, last: int) -> None:
    with pytest.raises(ValueError, match="no range of this log"):
        write(connection, started(), arm("a"), decision("a"), FeedbackExcluded(first, last, "revoked"))
