"""What waits for the learner: in order and complete, however little of it is kept in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway.archive import contents, pack
from gateway.backlog import Backlog
from gateway.database import begin, connect, migrate
from gateway.history import records, refold
from gateway.transaction import Record, Transaction
from router_models import make
from tests.log.conftest import Logged, Run, until
from tests.log.living import BEGINNING, living
from tests.log.samples import TENANT, decision, feedback
from tests.log.test_learner_thread import thinking

EVENTS = 60


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sa.Engine, list[Record]]]:
    """A log of so many decisions."""
    engine = connect(tmp_path_factory.mktemp("backlog"))
    migrate(engine)
    with engine.connect() as connection:
        with begin(connection):
            transaction = Transaction(connection=connection, position=0)
            for number in range(EVENTS):
                transaction.append(decision("a", seed=number), tenant=TENANT, subject=bytes(16))
            transaction.flush()
        yield engine, list(records(connection, whole=True))


@given(steps=st.lists(st.sampled_from(["offer", "take", "read"]), max_size=120), most=st.integers(3, 12))
def test_everything_comes_once_and_in_order(
    written: tuple[sa.Engine, list[Record]], steps: list[str], most: int
) -> None:
    engine, log = written
    backlog, offered, taken = Backlog(engine=engine, most=most), 0, []
    for step in [*steps, *["read", *["take"] * most] * EVENTS]:
        if step == "offer":
            backlog.offer(log[offered : offered + 3])
            offered = min(offered + 3, EVENTS)
        elif step == "read":
            backlog.read()
        elif backlog.next() is not None:
            taken.append(backlog.take())
        assert backlog.near <= most
        assert len(backlog) == offered - len(taken)
    assert taken == log[:offered]
    assert not backlog.behind


def test_what_is_gone_from_the_log_is_not_waited_for(written: tuple[sa.Engine, list[Record]]) -> None:
    engine, log = written
    backlog = Backlog(engine=engine, most=2)
    backlog.offer(log[:2])
    backlog.offer([log[2]._replace(seq=EVENTS + 7)])
    assert (backlog.take(), backlog.take(), backlog.behind) == (*log[:2], True)
    for _ in range(EVENTS):
        backlog.read()
        while backlog.next() is not None:
            backlog.take()
    assert (len(backlog), backlog.behind) == (0, False)


def test_a_learner_that_falls_behind_catches_up_from_the_log(run: Run, engine: sa.Engine) -> None:
    gate = threading.Event()

    async def scenario() -> None:
        async with living(engine, make_policy=thinking(gate), most_waiting=8) as live:
            await live.say(*BEGINNING)
            events = [feedback("a", 1.0), *(decision("b", seed=n) for n in range(90)), feedback("b", 0.5)] * 2
            made = [live.log.append(event, tenant=TENANT, subject=bytes(16)) for event in events]
            assert all(await asyncio.gather(*made))
            assert live.learner.lag > 170
            gate.set()
            await live.learner.settled()
            fold = live.learner.fold
            assert (live.learner.lag, fold.position, fold.lessons, live.failures) == (0, 187, 4, 0)
            with engine.connect() as connection:
                assert pack(contents(refold(connection, make_policy=make))) == pack(contents(fold))

    run(scenario())


def test_a_database_that_cannot_be_read_is_tried_again(run: Run, engine: sa.Engine, logged: Logged) -> None:
    gate = threading.Event()

    async def scenario() -> None:
        async with living(engine, make_policy=thinking(gate), most_waiting=2) as live:
            await live.say(*BEGINNING)
            made = [live.log.append(feedback("a", 1.0), tenant=TENANT, subject=bytes(16)) for _ in range(9)]
            assert all(await asyncio.gather(*made))
            with engine.connect() as connection:
                with begin(connection):
                    connection.exec_driver_sql("ALTER TABLE events RENAME TO hidden")
                gate.set()
                await until(lambda: "backlog_not_read" in {line["event"] for line in logged})
                with begin(connection):
                    connection.exec_driver_sql("ALTER TABLE hidden RENAME TO events")
            await live.learner.settled()
            assert (live.learner.lag, live.learner.fold.lessons) == (0, 9)

    run(scenario())
