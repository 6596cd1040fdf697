"""Learning that takes its time, in the learner's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.history import archives, refold
from router_models import make
from router_models.policy import Policy
from tests.log.conftest import Run, until
from tests.log.living import BEGINNING, living
from tests.log.samples import TENANT, feedback


def thinking(gate: threading.Event) -> Callable[..., Policy]:
    """A policy whose states learn only once the gate is open."""

    def making(name: str, **parameters: Any) -> Policy:
        policy = make(name, **parameters)
        start = policy.start

        def begin(**given: Any) -> Any:
            state = start(**given)
            learn = state.learn

            def slowly(observation: Any) -> None:
                assert gate.wait(10)
                learn(observation)

            state.learn = slowly  # type: ignore[method-assign]
            return state

        object.__setattr__(policy, "start", begin)
        return policy

    return making


def test_requests_are_served_while_the_learner_thinks(run: Run, engine: sa.Engine) -> None:
    gate = threading.Event()

    async def scenario() -> None:
        async with living(engine, make_policy=thinking(gate)) as live:
            await live.say(*BEGINNING)
            before = live.learner.published(TENANT)
            learning = asyncio.create_task(live.say(feedback("a", 1.0), feedback("b", 0.0)))
            await until(lambda: live.learner.lag == 1)
            assert live.learner.published(TENANT) is before
            await live.learner.settled(within_s=0.01)  # who waits for it only so long is let go
            assert live.learner.published(TENANT) is before
            gate.set()
            await learning
            assert live.learner.published(TENANT).version == "1.5"
            assert live.learner.fold.lessons == 2

    run(scenario())


def test_what_is_saved_in_the_middle_of_an_event_holds_it_whole(run: Run, engine: sa.Engine) -> None:
    gate = threading.Event()

    async def scenario() -> None:
        async with living(engine, make_policy=thinking(gate)) as live:
            await live.say(*BEGINNING)
            learning = asyncio.create_task(live.say(feedback("a", 1.0)))
            await until(lambda: live.learner.fold.position == 4)
            saving = asyncio.create_task(live.learner.save())
            await asyncio.sleep(0.02)
            gate.set()
            assert await saving == 4
            await learning

    run(scenario())
    with engine.connect() as connection:
        saved = next(archives(connection, upto=4))
        assert saved == pack(contents(refold(connection, make_policy=make, upto=4)))


def test_stopping_waits_for_the_learner_and_folds_the_rest_in_order(run: Run, engine: sa.Engine) -> None:
    gate = threading.Event()

    async def scenario() -> None:
        async with living(engine, make_policy=thinking(gate)) as live:
            await live.say(*BEGINNING)
            made = [live.log.append(feedback("a", 1.0), tenant=TENANT, subject=bytes(16)) for _ in range(5)]
            assert all(await asyncio.gather(*made))
            await until(lambda: live.learner.lag < 5)
            threading.Timer(0.2, gate.set).start()
        assert (live.learner.lag, live.learner.fold.lessons, live.failures) == (0, 5, 0)
        with engine.connect() as connection:
            assert pack(contents(refold(connection, make_policy=make))) == pack(contents(live.learner.fold))

    run(scenario())
