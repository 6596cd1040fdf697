"""The log while the disk is well: ordered, grouped, durable, and nothing of what was refused."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.database import connect
from gateway.events import LearningFrozen
from gateway.transaction import MOST_ROWS, Transaction
from tests.log.conftest import Opened, Run
from tests.log.samples import TENANT, answer, decision


class Refused(Exception):
    """What a piece of work raises."""


def stored(connection: sqlite3.Connection) -> list[tuple[int, int, bytes]]:
    return connection.execute("SELECT seq, at, subject FROM events ORDER BY seq").fetchall()


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_appends_keep_their_order_and_share_transactions(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            made = [log.append(decision("a"), tenant=TENANT, subject=name(number)) for number in range(300)]
            assert log.pending == 300
            assert await asyncio.gather(*made) == [True] * 300
            assert log.pending == 0
            assert [len(batch) for batch in batches] == [MOST_ROWS, MOST_ROWS, 300 - 2 * MOST_ROWS]
        assert [(seq, subject) for seq, _, subject in stored(other)] == [(n + 1, name(n)) for n in range(300)]
        assert [(each.seq, each.subject) for batch in batches for each in batch] == [
            (n + 1, name(n)) for n in range(300)
        ]

    run(scenario())


def test_an_event_is_on_disk_when_its_future_resolves(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    async def scenario() -> None:
        async with opened(clock=lambda: 12.5) as (log, batches):
            event = decision("a", arms=["a", "b"])
            future = log.append(event, tenant=TENANT, subject=name(7), source="somebody")
            assert not future.done()
            assert await future
            row = other.execute("SELECT seq, at, kind, tenant, subject, source FROM events").fetchone()
            assert row == (1, 12_500_000, "decision", TENANT, name(7), "somebody")
            assert batches[0][0].event == event

    run(scenario())


def test_commits_survive_power_loss(tmp_path: Path) -> None:
    with connect(tmp_path).connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]  # FULL: every commit is synchronised


def test_a_transaction_sees_what_was_appended_before_it(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            log.append(decision("a"), tenant=TENANT, subject=name(1))
            log.append(answer("a"), tenant=TENANT, subject=name(1), lazy=True)

            def work(transaction: Transaction) -> list[str]:
                transaction.append(decision("b"), tenant=TENANT, subject=name(1))
                return [each.kind for each in transaction.about(name(1))]

            assert await log.transact(work) == ["decision", "answer", "decision"]
            log.append(decision("c"), tenant=TENANT, subject=name(1))
            assert len(await log.transact(lambda transaction: transaction.about(name(1)))) == 4
            assert [each.seq for batch in batches for each in batch] == [1, 2, 3, 4]

    run(scenario())


@pytest.mark.parametrize("looking", [False, True])
def test_refused_work_leaves_no_trace(run: Run, opened: Opened, other: sqlite3.Connection, looking: bool) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):

            def work(transaction: Transaction) -> None:
                transaction.append(decision("wrong"), tenant=TENANT, subject=name(2))
                if looking:
                    assert len(transaction.about(name(2))) == 1
                raise Refused("not this one")

            before = log.append(decision("a"), tenant=TENANT, subject=name(1))
            refused = asyncio.ensure_future(log.transact(work))
            await asyncio.sleep(0)
            after = log.append(decision("b"), tenant=TENANT, subject=name(3))
            with pytest.raises(Refused, match="not this one"):
                await refused
            assert await before
            assert await after
            assert log.healthy
        assert [(seq, subject) for seq, _, subject in stored(other)] == [(1, name(1)), (2, name(3))]
        assert [each.seq for batch in batches for each in batch] == [1, 2]

    run(scenario())


def test_work_may_append_more_than_fits_one_statement(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    def work(transaction: Transaction) -> int:
        for number in range(1000):
            transaction.append(decision("a"), tenant=TENANT, subject=name(number))
        return len(transaction.about(name(999)))

    async def scenario() -> None:
        async with opened() as (log, batches):
            assert await log.transact(work) == 1
            assert len(batches[0]) == 1000
        assert len(stored(other)) == 1000

    run(scenario())


def test_work_that_returns_false_is_no_failure(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):
            assert await log.transact(lambda transaction: False) is False

    run(scenario())


def test_work_whose_waiter_left_before_it_began_is_not_run(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):
            other.execute("BEGIN IMMEDIATE")
            kept = log.append(decision("a"), tenant=TENANT, subject=name(1))
            await asyncio.sleep(0.01)  # the writer holds this one, and waits for the lock
            left = asyncio.ensure_future(
                log.transact(lambda transaction: transaction.append(decision("b"), tenant=TENANT, subject=name(2)))
            )
            await asyncio.sleep(0)
            left.cancel()
            other.execute("COMMIT")
            assert await kept
            assert await log.append(decision("c"), tenant=TENANT, subject=name(3))
        assert [subject for _, _, subject in stored(other)] == [name(1), name(3)]

    run(scenario())


def test_an_event_whose_waiter_left_is_still_written(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):

            async def wait() -> bool:
                return await log.append(decision("a"), tenant=TENANT, subject=name(1))

            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            task.cancel()
            assert await log.append(decision("b"), tenant=TENANT, subject=name(2))
            assert task.cancelled()
        assert [subject for _, _, subject in stored(other)] == [name(1), name(2)]

    run(scenario())


def test_lazy_events_share_the_next_batch_or_go_soon(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            log.append(answer("a"), tenant=TENANT, subject=name(1), lazy=True)
            log.append(answer("b"), tenant=TENANT, subject=name(2), lazy=True)
            await asyncio.sleep(0)
            assert log.pending == 2
            assert await log.append(decision("c"), tenant=TENANT, subject=name(3))
            assert [[each.kind for each in batch] for batch in batches] == [["answer", "answer", "decision"]]
            alone = log.append(answer("d"), tenant=TENANT, subject=name(4), lazy=True)
            assert await alone
            assert [len(batch) for batch in batches] == [3, 1]

    run(scenario())


def test_an_event_that_cannot_be_stored_is_its_sender_s_error(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):
            with pytest.raises(OverflowError):
                log.append(answer("a", cost=10**30), tenant=TENANT)
            assert log.pending == 0
            assert await log.append(answer("a"), tenant=TENANT)

    run(scenario())


def test_a_batch_that_no_database_takes_does_not_end_the_writer(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            assert await log.append(decision("a"), tenant=TENANT, subject=name(1))
            wrong = log.append(decision("b"), tenant=object(), subject=name(2))  # type: ignore[arg-type]
            assert await wrong is False
            assert log.dropped == 1
            odd = log.append(decision("b"), tenant="\ud800", subject=name(2))
            assert await odd is False
            assert await log.append(decision("c"), tenant=TENANT, subject=name(3))
            assert log.healthy
            assert [each.seq for batch in batches for each in batch] == [1, 2]

    run(scenario())


def test_events_that_another_wrote_reach_the_fold_and_replace_nothing(
    run: Run, opened: Opened, other: sqlite3.Connection
) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            assert await log.append(decision("a"), tenant=TENANT, subject=name(1))
            other.execute("INSERT INTO events SELECT 2, at, kind, tenant, ?, source, payload FROM events", (name(9),))
            assert await log.append(decision("b"), tenant=TENANT, subject=name(2)) is False  # its place was taken
            assert await log.append(decision("c"), tenant=TENANT, subject=name(3))
        assert [(seq, subject) for seq, _, subject in stored(other)] == [(1, name(1)), (2, name(9)), (3, name(3))]
        assert [each.subject for batch in batches for each in batch] == [name(1), name(9), name(3)]

    run(scenario())


def test_stopping_writes_what_is_queued_and_takes_no_more(run: Run, opened: Opened, other: sqlite3.Connection) -> None:
    async def scenario() -> None:
        async with opened() as (log, batches):
            made = [log.append(decision("a"), tenant=TENANT, subject=name(number)) for number in range(500)]
            late = log.append(answer("a"), tenant=TENANT, lazy=True)
            await log.stop()
            assert all([await each for each in [*made, late]])
            assert sum(map(len, batches)) == 501
            assert await log.append(decision("a"), tenant=TENANT) is False
            assert (log.dropped, log.pending) == (1, 0)
        assert len(stored(other)) == 501

    run(scenario())


def test_positions_go_on_where_the_last_run_ended(run: Run, opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):
            assert await log.append(decision("a"), tenant=TENANT)
        async with opened() as (log, batches):
            assert await log.append(LearningFrozen(frozen=True), tenant="")
            assert batches[0][0].seq == 2

    run(scenario())
