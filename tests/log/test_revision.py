"""Control events reach the running learner: it folds the past anew, and serves meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.events import EVERYONE, Erased, Event, FeedbackExcluded, PolicyChanged, PoolJoined, ShadowSet
from gateway.fold import Fold
from gateway.history import refold
from gateway.schema import events
from gateway.transaction import Record, Transaction
from router_models import make
from tests.log.conftest import Logged, Run, until
from tests.log.living import BEGINNING, Live, living
from tests.log.samples import TENANT, answer, arm, decision, feedback

LINUCB = PolicyChanged(1, "linucb", '{"exploration": 0.02}')


def life(count: int) -> list[Event]:
    """The end of it is at 3 * count + 3."""
    rounds = [[decision("a", seed=n), answer("a"), feedback("a", n / count, seed=n)] for n in range(count)]
    return [*BEGINNING, *(event for round_ in rounds for event in round_)]


def check_live(live: Live, engine: sa.Engine) -> None:
    """The live state is what the log says, and published."""
    with engine.connect() as connection:
        said = refold(connection, make_policy=make)
    assert pack(contents(said)) == pack(contents(live.learner.fold))
    for tenant in said.states:
        found = live.learner.published(tenant)
        assert (found.version, found.position) == (said.version(tenant), said.position)
    assert live.failures == 0


def test_what_is_excluded_is_unlearned(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(10))
            before = live.learner.published(TENANT)
            await live.rule(FeedbackExcluded(6, 20, "revoked"))
            check_live(live, engine)
            assert live.learner.fold.lessons == 5
            assert (before.version, live.learner.published(TENANT).version) == ("1.33", "1.34")
            await live.say(feedback("b", 1.0))
            check_live(live, engine)
        async with living(engine) as live:
            check_live(live, engine)

    run(scenario())


def test_others_are_left_in_peace(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(5))
            await live.say(decision("b"), feedback("b", 1.0), tenant="acme")
            state, found = live.learner.fold.states["acme"], live.learner.published("acme")
            await live.rule(FeedbackExcluded(1, 18, "revoked"))
            assert live.learner.fold.states["acme"] is state
            assert live.learner.published("acme") is found
            assert live.learner.fold.states[TENANT].lessons == 0

    run(scenario())


@pytest.mark.parametrize(
    "ruling",
    [
        [LINUCB],
        [ShadowSet(1, "linucb", "{}", 0.1)],
        [ShadowSet(1, "linucb", "{}", 0.1), ShadowSet(1, "")],
        [LINUCB, FeedbackExcluded(10, 34, "rolled_back")],
    ],
)
def test_policies_learn_from_the_past(run: Run, engine: sa.Engine, ruling: list[Any]) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(10))
            for event in ruling:
                await live.rule(event, tenant=EVERYONE)
            await live.say(feedback("b", 1.0))
            with engine.connect() as connection:
                assert pack(contents(refold(connection, make_policy=make))) == pack(contents(live.learner.fold))
            assert live.failures == 0

    run(scenario())


def test_a_share_for_the_shadow_costs_no_refold(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(5))
            await live.rule(ShadowSet(1, "linucb", "{}"), tenant=EVERYONE)
            fold, state = live.learner.fold, live.learner.fold.states[TENANT]
            await live.rule(ShadowSet(1, "linucb", "{}", 0.2), tenant=EVERYONE)
            assert live.learner.fold is fold
            await live.rule(ShadowSet(1, ""), tenant=EVERYONE)
            assert live.learner.fold.states[TENANT] is state
            assert state.shadow is None

    run(scenario())


class Slow:
    """Folds of controls wait at each event until the gate is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.begun = 0
        apply = Fold.apply

        def slowly(fold: Fold, record: Record) -> bool:
            if fold.controls.holding(TENANT) and record.seq == 1:
                self.begun += 1
                assert self.gate.wait(10)
            return apply(fold, record)

        monkeypatch.setattr(Fold, "apply", slowly)


def test_the_old_router_serves_until_the_past_is_folded(
    run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(10))
            before = live.learner.published(TENANT)
            ruling = asyncio.create_task(live.rule(FeedbackExcluded(6, 20, "revoked")))
            await until(lambda: slow.begun)
            later = asyncio.create_task(live.say(feedback("b", 1.0), decision("b")))
            await until(lambda: live.learner.lag == 2)
            assert live.learner.published(TENANT) is before
            slow.gate.set()
            await asyncio.gather(ruling, later)
            check_live(live, engine)
            assert live.learner.fold.position == 36

    run(scenario())


def test_controls_that_come_together_cost_one_refold(
    run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    slow.gate.set()

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(10))
            await live.rule(*[FeedbackExcluded(seq, seq, "rejected") for seq in (6, 9, 12, 15)])
            check_live(live, engine)
            assert slow.begun == 1 + 1  # the learner's, and the check's

    run(scenario())


def test_a_refold_that_fails_leaves_serving_alone_and_is_made_good_at_the_next_start(
    run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError("disk I/O error")

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(10))
            before = live.learner.published(TENANT)
            with monkeypatch.context() as patched:
                patched.setattr("gateway.learner.revision", fails)
                await live.rule(FeedbackExcluded(6, 20, "revoked"))
            assert live.failures == 1
            assert "refold_failed" in {line["event"] for line in logged}
            await live.say(feedback("b", 1.0))
            assert live.learner.published(TENANT) is before
            await live.say(feedback("b", 1.0), tenant="acme")
            assert live.learner.published("acme").version == "1.36"
        async with living(engine) as live:
            check_live(live, engine)

    run(scenario())


def test_stopping_does_not_wait_for_a_refold(run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(100))
            ruling = asyncio.create_task(live.rule(FeedbackExcluded(6, 20, "revoked")))
            await until(lambda: slow.begun)
            threading.Timer(0.1, slow.gate.set).start()
        ruling.cancel()
        await asyncio.gather(ruling, return_exceptions=True)
        assert live.learner.fold.lessons == 100  # what was folded was saved, as folded under the old controls
        async with living(engine) as live:
            check_live(live, engine)
            assert live.learner.fold.lessons == 95

    run(scenario())


def test_an_erased_tenant_is_forgotten_and_the_pool_without_it(run: Run, engine: sa.Engine) -> None:
    def erase(transaction: Transaction) -> None:
        transaction.flush()
        transaction.connection.execute(events.delete().where(events.c.tenant == "acme"))
        transaction.append(Erased(4, "a token"), tenant=EVERYONE)

    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*BEGINNING, tenant=EVERYONE)
            await live.say(PoolJoined(True, False), feedback("a", 1.0), tenant="acme")
            await live.say(PoolJoined(False, True), feedback("a", 0.0))
            live.learner.erasing["a token"] = "acme"
            await live.log.transact(erase)
            await live.learner.settled()
            assert "acme" not in live.learner.fold.states
            assert "acme" not in live.learner.publication.tenants
            check_live(live, engine)
            assert live.learner.erasing == {}

    run(scenario())


def test_new_arms_reach_everyone_after_a_change_of_policy(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with living(engine) as live:
            await live.say(*life(5))
            await live.rule(LINUCB, tenant=EVERYONE)
            await live.say(arm("c"))
            for tenant in (EVERYONE, TENANT):
                assert live.learner.published(tenant).snapshot.arms == ("a", "b", "c")
            check_live(live, engine)

    run(scenario())
