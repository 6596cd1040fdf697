"""The ledger: always the sum of the answers in the log, whatever the disk does, and of whoever is asked about."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.database import begin
from gateway.events import Answer, Estimate
from gateway.ledger import DAY_US, TOGETHER, Tally, catch_up, disown, recent, sums
from gateway.limits.budget import MOST, nanodollars
from gateway.log import Log, LogUnavailable
from gateway.schema import spend
from gateway.transaction import Transaction, read
from tests.log.conftest import Opened, Run, until
from tests.log.samples import TENANT, answer, decision
from tests.log.test_unavailable import Liar

#: Noon of a day in the middle of November 2026, in days and in seconds since the epoch.
DAY = 20_772
NOON = (DAY + 0.5) * 86_400


def paid(key: str = "k", **fields: Any) -> Answer:
    return msgspec.structs.replace(answer("a"), key=key, **fields)


def logged(connection: sa.Connection) -> dict[tuple[str, str, str, int], tuple[int, ...]]:
    """The sums by the log itself."""
    found: dict[tuple[str, str, str, int], tuple[int, ...]] = {}
    for record in read(connection):
        if isinstance(event := record.event, Answer):
            place = (record.tenant, event.key, event.answered, record.at // DAY_US)
            counted, cost = event.counted, nanodollars(event.counted.cost)
            more = (1, int(event.estimate is not None), counted.input_tokens, counted.output_tokens, cost)
            found[place] = tuple(map(sum, zip(found.get(place, (0,) * 5), more, strict=True)))
    return found


def kept(connection: sa.Connection) -> dict[tuple[str, str, str, int], tuple[int, ...]]:
    return {tuple(row[:4]): tuple(row[4:]) for row in connection.execute(sa.select(spend))}


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["t", "u"]),
        st.sampled_from(["k", "l"]),
        st.sampled_from(["a", "b"]),
        st.integers(DAY - 2, DAY),
        st.one_of(st.none(), st.floats(0, 0.01)),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(ANSWERS, st.sampled_from(["settled", "kept", "killed"])), max_size=4))
def test_it_is_the_sum_of_the_answers_in_the_log(engine: sa.Engine, batches: list[tuple[list[Any], str]]) -> None:
    with engine.connect() as connection:
        for table in ("events", "spend"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("UPDATE spend_mark SET position = 0")
        position, tally = 0, Tally()
        for batch, then in batches:
            with begin(connection):
                transaction = Transaction(connection=connection, position=position, tally=tally)
                for tenant, key, model, day, cost, guessed in batch:
                    transaction.at = day * DAY_US + 1
                    estimate = Estimate(3, 4, cost or 0.0) if guessed else None
                    event = paid(key, answered=model, cost=cost, estimate=estimate)
                    transaction.append(event, tenant=tenant, subject=bytes(16))
                transaction.flush()
                if then == "settled":
                    transaction.settle()
                position = transaction.position
            if then == "killed":
                tally.clear()
                catch_up(connection)
        catch_up(connection)
        assert kept(connection) == logged(connection)
        spent = {(each.tenant, each.key): (each.day, each.month) for each in recent(connection, now=NOON)}
        for (tenant, key), (day, month) in spent.items():
            own = [(place, each[4]) for place, each in kept(connection).items() if place[:2] == (tenant, key)]
            assert day == sum(cost for place, cost in own if place[3] == DAY)
            assert month == sum(cost for place, cost in own)
        before = sums(connection, by=["model", "day"], days=(0, DAY))
        with begin(connection):
            disown(connection, "t")
        assert sums(connection, by=["model", "day"], days=(0, DAY)) == before
        assert not sums(connection, by=["tenant"], days=(0, DAY), tenant="t")


def test_work_that_is_refused_adds_nothing(engine: sa.Engine) -> None:
    def work(inner: Transaction) -> None:
        inner.append(paid(), tenant=TENANT)
        raise LookupError

    with engine.connect() as connection:
        with begin(connection):
            transaction = Transaction(connection=connection, position=0, at=DAY_US)
            transaction.append(paid(), tenant=TENANT)
            with pytest.raises(LookupError):
                transaction.attempt(work)
            transaction.append(paid(), tenant=TENANT)
            transaction.settle()
        assert [row[0] for row in kept(connection).values()] == [2]


def test_sums_are_written_for_many_answers_together_and_none_is_lost_or_counted_twice(
    run: Run, opened: Opened, engine: sa.Engine
) -> None:
    async def answered(log: Log, count: int) -> None:
        for _ in range(count):
            assert await log.append(paid(), tenant=TENANT, subject=bytes(16))

    def counted(connection: sa.Connection) -> int:
        return sum(row[0] for row in kept(connection).values())

    async def scenario() -> None:
        async with opened() as (log, _):
            with engine.connect() as connection:
                await answered(log, TOGETHER)
                assert counted(connection) == 0
                await answered(log, 1)
                assert counted(connection) == TOGETHER
                await log.transact(Transaction.settle)
                assert counted(connection) == TOGETHER + 1
                await answered(log, 3)
        async with opened() as (log, _):
            await answered(log, 1)

    run(scenario())
    with engine.connect() as connection:
        assert counted(connection) == TOGETHER + 4  # those of the first log's end were found by the second one
        catch_up(connection)
        assert kept(connection) == logged(connection)


def test_sums_stop_growing_before_the_database_cannot_hold_them(engine: sa.Engine) -> None:
    enormous = [paid(model, input_tokens=2**62, output_tokens=2**64 - 1, cost=1e300) for model in ("k", "k", "l")]
    with engine.connect() as connection:
        for position, together in ((0, enormous), (3, enormous[:1])):
            with begin(connection):
                transaction = Transaction(connection=connection, position=position, at=DAY_US)
                for each in together:
                    transaction.append(each, tenant=TENANT)
                transaction.flush()
            catch_up(connection)
        assert {row[2:] for row in kept(connection).values()} == {(MOST, MOST, MOST)}
        (found,) = sums(connection, by=["tenant"], days=(0, DAY))
        assert (found.sum.requests, found.sum.cost) == (4, 2 * MOST)
        assert [each.month for each in recent(connection, now=DAY_US / 1e6)] == [MOST, MOST]
        with begin(connection):
            disown(connection, TENANT)
        assert {row[2:] for row in kept(connection).values()} == {(MOST, MOST, MOST)}


def test_positions_that_are_given_anew_count_anew(engine: sa.Engine) -> None:
    def answered(connection: sa.Connection, *, settled: bool) -> None:
        with begin(connection):
            transaction = Transaction(connection=connection, position=0, at=DAY_US)
            for _ in range(2):
                transaction.append(paid(), tenant=TENANT)
            transaction.flush()
            if settled:
                transaction.settle()

    with engine.connect() as connection:
        answered(connection, settled=True)
        connection.exec_driver_sql("DELETE FROM events")
        catch_up(connection)
        answered(connection, settled=False)
        catch_up(connection)
        assert [row[0] for row in kept(connection).values()] == [4]


@pytest.mark.parametrize("statement", ["INSERT INTO events", "INSERT INTO spend"])
def test_a_statement_that_lies_is_not_paid_twice(run: Run, opened: Opened, engine: sa.Engine, statement: str) -> None:
    liar = Liar(engine=engine, statement=statement)

    async def scenario() -> None:
        async with opened() as (log, _):
            assert await log.append(decision("a"), tenant=TENANT, subject=bytes(16))
            await log.append(paid(), tenant=TENANT, subject=bytes(16))
            liar.lies = 1
            log.append(paid(), tenant=TENANT, subject=bytes(16))
            with suppress(LogUnavailable):
                await log.transact(Transaction.settle)
            await until(lambda: not log.pending)
            assert not liar.lies

    run(scenario())
    with engine.connect() as connection:
        catch_up(connection)
        assert kept(connection) == logged(connection)
        assert [row[0] for row in kept(connection).values()] == [2]
