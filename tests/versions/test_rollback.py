"""Returning to a version: at once, exactly, and back again."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.archive import contents, difference
from gateway.checkpoint import checkpoint
from gateway.database import begin
from gateway.events import EVERYONE, FeedbackExcluded, PoolJoined, encode
from gateway.fold import Fold
from gateway.log import LogUnavailable
from gateway.schema import events
from gateway.transaction import Record
from gateway.versions.versions import OutOfReach
from tests.log.conftest import Run, until
from tests.log.samples import TENANT, answer, decision, feedback, started
from tests.versions.teaching import Taught, taught


def learned(here: Taught, tenant: str = TENANT) -> Any:
    return {name: array.tolist() for name, array in here.learner.fold.state(tenant).arrays().items()}


def test_what_was_learned_since_is_gone_at_once(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a", times=20, bad="b")
            saved = await here.versions.save()
            before = here.shares()
            for number in range(30):
                await here.live.say(feedback("b", 1.0, seed=number), feedback("a", 0.0, seed=number))
            assert here.shares() != before
            found = await here.versions.rollback(saved.id, note="it got worse")
            assert (found.version, found.serving, found.now) == (saved.id, saved.id, f"1.{found.position}")
            assert here.shares() == before
            await here.learner.settled()
            assert here.learner.published(TENANT).version == found.now
            assert here.shares() == before
            here.check()

    run(scenario())


def test_the_saved_version_serves_while_the_past_is_folded_anew(
    run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun, apply = threading.Event(), threading.Event(), Fold.apply

    def slowly(fold: Fold, record: Record) -> bool:
        if fold.controls.holding(TENANT):
            begun.set()
            assert gate.wait(10)
        return apply(fold, record)

    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a", times=20, bad="b")
            saved = await here.versions.save()
            before = here.shares()
            await here.teach("b", times=10, bad="a")
            await here.teach("a", tenant="acme")
            monkeypatch.setattr(Fold, "apply", slowly)
            await here.versions.rollback(saved.id, tenant=TENANT)
            await until(begun.is_set)
            assert (here.shares(), here.learner.published(TENANT).version) == (before, saved.id)
            saying = asyncio.create_task(here.live.say(feedback("b", 1.0)))
            await asyncio.sleep(0.02)
            assert here.learner.published(TENANT).version == saved.id
            gate.set()
            await saying
            assert here.learner.published(TENANT).version == here.learner.fold.version(TENANT) != saved.id
            here.check()

    run(scenario())


def test_choices_and_costs_still_count_after_a_rollback(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            version = await here.teach("a")
            await here.live.say(*[decision("b"), answer("b", cost=1.0)] * 3, feedback("b", 1.0))
            spent = here.learner.fold.state(TENANT).arrays()["costs"].tolist()
            await here.versions.rollback(version)
            await here.learner.settled()
            assert here.learner.fold.state(TENANT).arrays()["costs"].tolist() == spent
            assert here.learner.fold.lessons == 5

    run(scenario())


def test_one_tenant_returns_and_the_others_stay(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            version = await here.teach("a", tenant="acme")
            before = learned(here)
            for tenant in (TENANT, "acme"):
                await here.live.say(feedback("b", 1.0), tenant=tenant)
            stays, published = learned(here, "acme"), here.learner.published("acme")
            found = await here.versions.rollback(version, tenant=TENANT)
            assert found.serving is None  # none was saved: it returns when it has been folded anew
            assert learned(here) == before
            assert learned(here, "acme") == stays
            assert here.learner.published("acme") is published
            here.check()

    run(scenario())


def test_a_rollback_can_be_taken_back(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            early = await here.teach("a")
            await here.teach("b", bad="a")
            late = await here.versions.save()
            before = contents(here.learner.fold)
            await here.versions.rollback(early)
            await here.learner.settled()
            assert here.learner.fold.lessons == 5
            found = await here.versions.rollback(late.id)
            assert found.serving == late.id
            await here.learner.settled()
            now = contents(here.learner.fold)
            mine = [name for name in before if name != "manifest"]
            assert difference({name: before[name] for name in mine}, {name: now[name] for name in mine}) == 0
            here.check()

    run(scenario())


def test_a_rollback_can_be_taken_back_before_it_is_folded(
    run: Run, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, apply = threading.Event(), Fold.apply

    def slowly(fold: Fold, record: Record) -> bool:
        assert gate.wait(10)
        return apply(fold, record)

    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            early = await here.versions.save()
            await here.teach("b", bad="a")
            late, shares = await here.versions.save(), here.shares()
            monkeypatch.setattr(Fold, "apply", slowly)
            assert (await here.versions.rollback(early.id)).serving == early.id
            found = await here.versions.rollback(late.id)
            assert (found.serving, here.shares()) == (late.id, shares)
            gate.set()
            await here.learner.settled()
            assert here.shares() == shares
            here.check()

    run(scenario())


def test_what_was_revoked_does_not_return_by_a_rollback(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            version = await here.teach("a")
            await here.versions.save()
            await here.teach("b")
            await here.live.rule(FeedbackExcluded(1, 10, "revoked"))
            found = await here.versions.rollback(version)
            assert found.serving is None
            assert here.learner.fold.lessons == 3
            here.check()

    run(scenario())


def test_the_policy_returns_with_its_version_and_serves_at_once(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a")
            before = here.shares()
            changed = await here.steering.change_policy("linucb")  # which saves a version first
            assert here.learner.fold.live.policy == "linucb"
            assert here.shares() != before
            found = await here.versions.rollback("1.18")
            assert (found.serving, here.shares()) == ("1.18", before)
            await here.learner.settled()
            assert here.learner.fold.live.policy == "polyculture"
            here.check()
            await here.versions.rollback(changed)
            await here.learner.settled()
            assert here.learner.fold.live.policy == "linucb"
            here.check()

    run(scenario())


def test_a_contributor_s_rollback_reaches_who_consumes(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.live.say(PoolJoined(True, False), tenant="giver")
            await here.live.say(PoolJoined(False, True), tenant="taker")
            version = await here.teach("a", tenant="giver")
            before = here.shares("taker")
            await here.teach("b", times=20, bad="a", tenant="giver")
            assert here.shares("taker") != before
            await here.versions.rollback(version, tenant="giver")
            await here.learner.settled()
            assert here.shares("taker") == before
            here.check()

    run(scenario())


def test_where_there_is_no_way_back_nothing_happens(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            version = await here.teach("a")
            with pytest.raises(OutOfReach, match="nothing has been learned since"):
                await here.versions.rollback(version)
            await here.live.say(started())
            with pytest.raises(OutOfReach, match="another feature space"):
                await here.versions.rollback(version)
            assert here.learner.fold.position == 19
            here.check()

    run(scenario())


def test_a_rollback_that_cannot_be_logged_is_none(run: Run, engine: sa.Engine) -> None:
    def fails(transaction: object) -> None:
        raise PermissionError("no audit entry, no rollback")

    async def scenario() -> None:
        async with taught(engine) as here:
            version = await here.teach("a")
            await here.versions.save()
            await here.teach("b", bad="a")
            before = here.shares()
            with pytest.raises(PermissionError):
                await here.versions.rollback(version, also=fails)
            assert here.shares() == before
            await here.live.say(feedback("b", 1.0))
            assert here.learner.published(TENANT).version == here.learner.fold.version(TENANT)
            await here.live.log.stop()
            with pytest.raises(LogUnavailable):
                await here.versions.rollback(version)
            assert here.shares() != {}

    run(scenario())


def test_a_rollback_reaches_back_as_far_as_the_events(run: Run, engine: sa.Engine) -> None:
    """A checkpoint stands in the place of events that were dropped; the state and what follows stay the same."""

    async def scenario() -> None:
        async with taught(engine) as here:
            early = await here.teach("a")
            await here.teach("a", tenant="acme")
            late = await here.teach("b", bad="a")
            fold = await here.versions.fold(late)
            kept = checkpoint(fold, TENANT, learned=fold.learned[TENANT])
            with engine.connect() as connection, begin(connection):
                mine = events.c.tenant == TENANT
                connection.execute(events.delete().where(mine, events.c.seq < fold.position))
                row = {"kind": kept.kind, "payload": encode(kept), "subject": None}
                connection.execute(events.update().where(events.c.seq == fold.position).values(**row))
            here.check()
            await here.live.say(feedback("b", 0.5))
            with pytest.raises(OutOfReach, match=f"events up to {fold.position} are not kept any more"):
                await here.versions.rollback(early, tenant=TENANT)
            with pytest.raises(OutOfReach):
                await here.versions.rollback(early, tenant=EVERYONE)
            await here.versions.rollback(early, tenant="acme")
            await here.versions.rollback(late, tenant=TENANT)
            await here.learner.settled()
            assert here.learner.fold.states[TENANT].lessons == 15
            here.check()

    run(scenario())
