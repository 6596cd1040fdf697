"""The learner: folds on whatever comes, publishes what is sound, saves now and then."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.database import begin
from gateway.fold import Fold
from gateway.history import archives, refold
from gateway.learner import GATHER_S, Learner
from gateway.schema import snapshots
from gateway.transaction import Transaction
from gateway.versions.version import KEEP
from router_models import make
from router_models.policy import Policy
from tests.log.conftest import Logged, Run, until
from tests.log.living import BEGINNING, living
from tests.log.samples import TENANT, answer, arm, decision, feedback, record, records


class Failing:
    """A policy whose states cannot publish while ``wrong``."""

    def __init__(self) -> None:
        self.wrong = False

    def make(self, name: str, **parameters: Any) -> Policy:
        policy = make(name, **parameters)
        start = policy.start

        def begin(**given: Any) -> Any:
            state = start(**given)
            publish = state.snapshot

            def snapshot() -> Any:
                if self.wrong:
                    raise ValueError("not positive definite")
                return publish()

            state.snapshot = snapshot  # type: ignore[method-assign]
            return state

        object.__setattr__(policy, "start", begin)
        return policy


def saved(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return [archive.position for archive in archives(connection)]


def test_what_is_folded_live_is_what_the_log_says(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING)
            for number in range(30):
                await live.say(decision("a", seed=number), answer("a"), feedback("a", number / 30, seed=number))
            now = pack(contents(live.learner.fold))
            with engine.connect() as connection:
                assert pack(contents(refold(connection, make_policy=make))) == now
            assert (live.learner.lag, live.failures) == (0, 0)
        async with living(engine) as live:
            assert pack(contents(live.learner.fold)) == now
            assert live.learner.fold.base == 93

    run(scenario())


def test_learning_shows_in_what_is_published(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING)
            before = live.learner.published(TENANT)
            assert (before.version, before.lineage, before.places) == ("1.3", 1, {"a": 0, "b": 1})
            await live.say(feedback("a", 1.0))
            after = live.learner.published(TENANT)
            assert after.version == "1.4"
            x = np.frombuffer(feedback("a", 1.0).lesson.features, "<f4")  # type: ignore[union-attr]
            both = np.ones(2, bool)
            rise = after.snapshot.propose(x, eligible=both).scores - before.snapshot.propose(x, eligible=both).scores
            assert rise[0] > rise[1]
            assert live.learner.published("new").version == "1.3"
            await live.say(arm("c"))
            assert live.learner.published("new").snapshot.arms == ("a", "b", "c")
            assert live.learner.published(TENANT).snapshot.arms == ("a", "b", "c")

    run(scenario())


def test_mere_counting_is_published_soon_without_being_asked_for(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING)
            before = live.learner.published(TENANT)
            for _ in range(40):
                await live.log.append(decision("a"), tenant=TENANT, subject=bytes(16))
            await asyncio.sleep(GATHER_S)
            await until(lambda: live.learner.fold.position == 43)
            assert live.learner.published(TENANT) is not before

    run(scenario())


def test_events_that_cannot_be_used_do_not_stop_it(run: Run, engine: sa.Engine, logged: Logged) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING, feedback("a", 9.0), answer("a", cost=-1.0), feedback("a", 1.0))
            assert live.failures == 2
            assert live.learner.fold.lessons == 1
            assert live.learner.published(TENANT).version == "1.6"
            now = pack(contents(live.learner.fold))
        with engine.connect() as connection:
            assert pack(contents(refold(connection, make_policy=make))) == now
        assert {line["seq"] for line in logged if line["event"] == "event_not_folded"} == {4, 5}

    run(scenario())


def test_what_cannot_be_published_leaves_the_last_good_snapshot(run: Run, engine: sa.Engine, logged: Logged) -> None:
    policy = Failing()

    async def scenario() -> None:
        async with living(engine, make_policy=policy.make) as live:
            await live.say(*BEGINNING, feedback("a", 1.0))
            good = live.learner.published(TENANT)
            policy.wrong = True
            await live.say(feedback("a", 1.0), feedback("b", 0.0))
            assert live.learner.published(TENANT) is good
            assert live.failures >= 1
            assert live.learner.fold.lessons == 3
            policy.wrong = False
            await live.say(feedback("b", 0.0))
            assert live.learner.published(TENANT).version == "1.7"
        assert "publish_failed" in {line["event"] for line in logged}

    run(scenario())


def test_snapshots_are_saved_every_so_often_and_at_the_end(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine, snapshot_every=10) as live:
            await live.say(*BEGINNING)
            assert saved(engine) == []
            await live.say(*[decision("a")] * 8)
            await until(lambda: saved(engine) == [11])
            await live.say(*[decision("a")] * 10)
            await until(lambda: saved(engine) == [21, 11])
            await live.say(decision("a"))
        assert saved(engine) == [22, 21, 11]
        async with living(engine, snapshot_every=10):
            pass
        assert saved(engine) == [22, 21, 11]  # nothing new, nothing saved

    run(scenario())


def test_snapshots_are_saved_while_there_is_more_to_fold(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine, snapshot_every=50) as live:
            await live.say(*BEGINNING)
            await live.say(*(feedback("a", 0.5, seed=number) for number in range(400)))
            assert len(saved(engine)) >= 2

    run(scenario())


def test_a_long_tail_is_saved_at_the_start(run: Run, engine: sa.Engine) -> None:
    """Crash after crash, each before a snapshot was due, must not make every start slower than the last."""

    async def scenario() -> None:
        with engine.connect() as connection, begin(connection):
            transaction = Transaction(connection=connection, position=0)
            for event in [*BEGINNING, *[decision("a")] * 20]:
                transaction.append(event, tenant=TENANT)
            transaction.flush()
        async with living(engine, snapshot_every=10) as live:
            await until(lambda: saved(engine))
            assert saved(engine) == [live.learner.fold.position] == [23]

    run(scenario())


def test_only_the_newest_snapshots_are_kept(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine, snapshot_every=1) as live:
            await live.say(*BEGINNING)
            for _ in range(KEEP + 5):
                await live.say(decision("a"))
                await live.learner.settled()
        assert saved(engine) == list(range(KEEP + 8, 8, -1))

    run(scenario())


def test_a_snapshot_that_cannot_be_saved_is_tried_again_later(
    run: Run, engine: sa.Engine, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fails(*arguments: object) -> None:
        tried.append(arguments)
        raise MemoryError

    async def scenario() -> None:
        async with living(engine, snapshot_every=10) as live:
            await live.say(*BEGINNING)
            with monkeypatch.context() as patched:
                patched.setattr("gateway.learner.pack", fails)
                await live.say(*[decision("a")] * 10)
                await until(lambda: tried)
                await live.say(*[decision("a")] * 5)
            assert (saved(engine), len(tried), live.failures) == ([], 1, 1)
            await live.say(*[decision("a")] * 10)
            await until(lambda: saved(engine) == [28])
            with engine.connect() as connection:
                with begin(connection):
                    connection.execute(snapshots.delete())
                    connection.exec_driver_sql("ALTER TABLE snapshots RENAME TO hidden")
                await live.say(*[decision("a")] * 10)
                await until(lambda: "snapshot_not_saved" in {line["event"] for line in logged[1:]})
                with begin(connection):
                    connection.exec_driver_sql("ALTER TABLE hidden RENAME TO snapshots")
            await until(lambda: not live.log.pending)
        assert saved(engine) == [38]

    run(scenario())


def test_the_queue_stays_short_whatever_comes(run: Run) -> None:
    """Each turn of the loop folds at least an eighth of what waits, so the queue is bounded by what a turn brings."""

    async def scenario() -> None:
        fold, ticks = Fold(make_policy=make), count()
        learner = Learner(fold=fold, clock=lambda: float(next(ticks)))  # at every look at it, the time is over
        learner.start()
        learner.offer(list(records(*BEGINNING)))
        await learner.settled()
        learner.offer([record(4 + n, decision("a")) for n in range(190)])
        await until(lambda: learner.lag < 190)  # it has begun, and does not pause before all is folded
        longest = 0
        for turn in range(300):
            learner.offer([record(194 + turn * 10 + n, decision("a")) for n in range(10)])
            await asyncio.sleep(0)
            longest = max(longest, learner.lag)
        assert longest < 200
        await learner.settled()
        assert (learner.lag, fold.position) == (0, 193 + 300 * 10)
        await learner.stop()

    run(scenario())


def test_stopping_folds_what_is_left(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING)
            made = [live.log.append(decision("a"), tenant=TENANT, subject=bytes(16)) for _ in range(200)]
            assert all(await asyncio.gather(*made))
        assert saved(engine) == [203]

    run(scenario())
