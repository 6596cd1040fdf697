"""The log while the disk is full, locked, hanging or lying: nobody waits long, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
import sqlalchemy as sa

from gateway.log import LogUnavailable
from gateway.transaction import Transaction
from tests.log.conftest import Logged, Opened, Run, until
from tests.log.samples import TENANT, decision

#: The longest wait that these logs allow. Tests ask for much less than ten times as much.
STUCK_S = 0.2


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def subjects(connection: sqlite3.Connection) -> list[int]:
    """What the log holds, in order; positions must have no gap."""
    rows = connection.execute("SELECT seq, subject FROM events ORDER BY seq").fetchall()
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    return [int.from_bytes(subject, "big") for _, subject in rows]


def adding(number: int) -> Any:
    def work(transaction: Transaction) -> int:
        transaction.append(decision("a"), tenant=TENANT, subject=name(number))
        return number

    return work


class Disk:
    """Room for so many pages, on every connection made from now on."""

    def __init__(self, *, engine: sa.Engine) -> None:
        self.pages = 1 << 30
        sa.event.listen(engine, "connect", self._limit)

    def _limit(self, connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self.pages}")


class Liar:
    """Reports a failure after a statement that begins so has been carried out, on connections made from now on."""

    def __init__(self, *, engine: sa.Engine, statement: str) -> None:
        self.statement = statement
        self.lies = 0
        sa.event.listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        lie = self._lie

        class Cursor(sqlite3.Cursor):
            def execute(self, statement: str, values: Any = ()) -> Self:
                super().execute(statement, values)
                lie(statement)
                return self

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

        parameters["factory"] = Connection

    def _lie(self, statement: str) -> None:
        if self.lies and statement.startswith(self.statement):
            self.lies -= 1
            raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def disk(engine: sa.Engine) -> Disk:
    return Disk(engine=engine)


@pytest.fixture
def locked(other: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Another process holds the write lock until it says ``COMMIT``."""
    other.execute("BEGIN EXCLUSIVE")
    yield other
    if other.in_transaction:
        other.execute("COMMIT")


def test_a_full_disk_refuses_feedback_and_keeps_decisions_for_later(
    run: Run, opened: Opened, disk: Disk, other: sqlite3.Connection, logged: Logged
) -> None:
    async def scenario() -> None:
        disk.pages = other.execute("PRAGMA page_count").fetchone()[0]
        async with opened(stuck_s=STUCK_S) as (log, batches):
            count = 0
            while await log.append(decision("a"), tenant=TENANT, subject=name(count)):
                count += 1
            assert not log.healthy
            assert log.pending == 1
            later = [log.append(decision("a"), tenant=TENANT, subject=name(count + n)) for n in range(1, 300)]
            assert all(future.done() and not future.result() for future in later)
            with pytest.raises(LogUnavailable, match="cannot be written"):
                await log.transact(adding(10_000))
            assert log.pending == 300
            disk.pages = 1 << 30
            await until(lambda: log.healthy and not log.pending)
            assert await log.append(decision("a"), tenant=TENANT, subject=name(count + 300))
            assert await log.transact(adding(count + 301)) == count + 301
        assert subjects(other) == list(range(count + 302))
        assert [int.from_bytes(each.subject or b"", "big") for batch in batches for each in batch] == subjects(other)
        assert log.dropped == 0
        said = {line["event"] for line in logged}
        assert said == {"log_write_failed", "log_unavailable", "log_available"}
        assert any("full" in line.get("error", "") for line in logged)

    run(scenario())


def test_feedback_is_refused_by_a_full_disk_at_once(run: Run, opened: Opened, disk: Disk) -> None:
    async def scenario() -> None:
        async with opened() as (log, _):
            disk.pages = 1

            def large(transaction: Transaction) -> None:
                for number in range(200):
                    transaction.append(decision("a"), tenant=TENANT, subject=name(number))

            for pages in (1, 1 << 30):  # room counts for connections made later, as after a failure
                disk.pages = pages
                with pytest.raises(LogUnavailable):
                    await log.transact(large)
                await until(lambda: not log.pending)
                assert not log.healthy
            await log.transact(large)  # with nothing else waiting, each try is a probe of the disk
            assert log.healthy

    run(scenario())


def test_nobody_waits_for_a_disk_that_hangs(
    run: Run, opened: Opened, locked: sqlite3.Connection, logged: Logged
) -> None:
    async def scenario() -> None:
        async with opened(stuck_s=STUCK_S) as (log, batches):
            began = time.perf_counter()
            first = log.append(decision("a"), tenant=TENANT, subject=name(0))
            await asyncio.sleep(0.05)
            waiting = asyncio.ensure_future(log.transact(adding(99)))
            assert await first is False
            with pytest.raises(LogUnavailable):
                await waiting
            assert time.perf_counter() - began < 10 * STUCK_S
            assert not log.healthy
            assert log.append(decision("a"), tenant=TENANT, subject=name(1)).result() is False
            with pytest.raises(LogUnavailable):
                await log.transact(adding(99))
            locked.execute("COMMIT")
            await until(lambda: log.healthy and not log.pending)
            assert await log.append(decision("a"), tenant=TENANT, subject=name(2))
        assert subjects(locked) == [0, 1, 2]  # the feedback that was refused is not written behind its sender's back
        assert [each.seq for batch in batches for each in batch] == [1, 2, 3]
        assert [line["event"] for line in logged] == ["log_unavailable", "log_available"]

    run(scenario())


def test_the_backlog_is_bounded_and_what_it_cannot_hold_is_counted(
    run: Run, opened: Opened, locked: sqlite3.Connection
) -> None:
    async def scenario() -> None:
        async with opened(stuck_s=STUCK_S, backlog=5) as (log, _):
            made = [log.append(decision("a"), tenant=TENANT, subject=name(number)) for number in range(12)]
            assert [future.done() for future in made] == [False] * 5 + [True] * 7
            assert (log.pending, log.dropped) == (5, 7)
            with pytest.raises(LogUnavailable):
                await log.transact(adding(99))
            locked.execute("COMMIT")
            assert await asyncio.gather(*made) == [True] * 5 + [False] * 7
            assert await log.append(decision("a"), tenant=TENANT, subject=name(5))
        assert subjects(locked) == [0, 1, 2, 3, 4, 5]
        assert log.dropped == 7

    run(scenario())


@pytest.mark.parametrize(("working", "statement"), [(False, "INSERT"), (True, "COMMIT")])
def test_a_commit_that_reports_a_failure_and_was_written_is_not_written_again(
    run: Run, opened: Opened, engine: sa.Engine, other: sqlite3.Connection, working: bool, statement: str
) -> None:
    liar = Liar(engine=engine, statement=statement)

    async def scenario() -> None:
        async with opened() as (log, batches):
            assert await log.append(decision("a"), tenant=TENANT, subject=name(0))
            liar.lies = 1
            made = [log.append(decision("a"), tenant=TENANT, subject=name(1), lazy=True)]  # goes with the next
            if working:
                with pytest.raises(LogUnavailable):
                    await log.transact(adding(2))
            else:
                made.append(log.append(decision("a"), tenant=TENANT, subject=name(2)))
            assert not any(await asyncio.gather(*made))  # nobody could know
            await until(lambda: not log.pending)
            assert log.healthy
            assert await log.append(decision("a"), tenant=TENANT, subject=name(4))
            assert log.dropped == 0
        assert subjects(other) == [0, 1, 2, 4]
        assert [int.from_bytes(each.subject or b"", "big") for batch in batches for each in batch] == subjects(other)

    run(scenario())


def test_work_alone_that_reports_a_failure_and_was_written_reaches_the_fold(
    run: Run, opened: Opened, engine: sa.Engine, other: sqlite3.Connection
) -> None:
    liar = Liar(engine=engine, statement="COMMIT")

    async def scenario() -> None:
        async with opened() as (log, batches):
            liar.lies = 1
            with pytest.raises(LogUnavailable):
                await log.transact(adding(0))
            await until(lambda: not log.pending)
            assert await log.append(decision("a"), tenant=TENANT, subject=name(1))
        assert subjects(other) == [0, 1]
        assert [each.seq for batch in batches for each in batch] == [1, 2]

    run(scenario())


def test_a_failing_disk_does_not_hold_up_the_end(
    run: Run, opened: Opened, disk: Disk, other: sqlite3.Connection, logged: Logged
) -> None:
    async def scenario() -> None:
        disk.pages = other.execute("PRAGMA page_count").fetchone()[0]
        async with opened() as (log, _):
            made = [
                log.append(decision("a"), tenant=TENANT, subject=name(number), lazy=number < 199)
                for number in range(200)
            ]
            began = time.perf_counter()
            await log.stop()
            assert time.perf_counter() - began < 5
            assert [await each for each in made] == [False] * 200
            assert (log.dropped, log.pending) == (200, 0)
        assert {"event": "events_lost", "events": 200, "log_level": "error"} in logged

    run(scenario())


def test_a_hanging_disk_does_not_hold_up_the_end_for_long(
    run: Run, opened: Opened, locked: sqlite3.Connection, logged: Logged
) -> None:
    async def scenario() -> None:
        async with opened(stuck_s=30.0) as (log, _):
            made = log.append(decision("a"), tenant=TENANT, subject=name(0))
            waiting = asyncio.ensure_future(log.transact(adding(1)))
            await asyncio.sleep(0)
            await log.stop(timeout_s=0.2)
            assert await made is False
            with pytest.raises(LogUnavailable):
                await waiting
            locked.execute("COMMIT")
        assert logged[0] == {"event": "events_lost", "events": 2, "log_level": "error"}

    run(scenario())
