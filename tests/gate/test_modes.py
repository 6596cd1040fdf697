"""Where nothing goes live by itself: what an admin promotes, or what the log speaks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from gateway.events import EVERYONE, Decision, FeedbackExcluded, Promoted
from gateway.gate.comparing import candidate, shadow
from gateway.schema import events
from gateway.transaction import read
from gateway.versions.steering import Refused
from gateway.versions.version import UnknownVersion
from router_models.gate import Comparison
from tests.gate.forged import permuted
from tests.gate.guarded import Guarded, guarded
from tests.log.conftest import Run, until
from tests.log.samples import TENANT, arm


def promoted(engine: sa.Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = read(connection, events.c.kind == Promoted.kind)
    return [(each.tenant, each.event.version) for each in found if isinstance(each.event, Promoted)]


def test_only_what_is_promoted_serves(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode="manual") as here:
            begun = here.shares()
            await here.serve(200)
            assert here.shares() == begun
            version = await here.guard.promotion.promote("live", tenant=TENANT)
            assert here.learner.published(TENANT).version == version
            served = here.shares()
            assert served["c"] > begun["c"]
            await here.serve(200)
            assert here.shares() == served
            assert here.learner.fold.lessons == 400
            here.check()
        async with guarded(engine, tmp_path, mode="manual") as again:
            assert again.learner.published(TENANT).version == version
            assert again.shares() == served
            await again.live.say(arm("d"), tenant=EVERYONE)
            assert again.shares().keys() == {"a", "b", "c", "d"}
            assert again.learner.published(TENANT).version == version
            again.check()
        async with guarded(engine, tmp_path) as free:
            assert free.learner.published(TENANT).version == free.learner.fold.version(TENANT) != version
        assert promoted(engine) == [(EVERYONE, "1.4"), (TENANT, version), (EVERYONE, "")]

    run(scenario())


def test_switched_to_manual_everyone_stays_where_they_are(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(100)
            served = here.shares()
        async with guarded(engine, tmp_path, mode="manual") as there:
            await there.serve(200)
            assert there.shares() == served
            last = there.learner.fold.position
            await there.live.rule(FeedbackExcluded(1, last, "revoked"))
            assert there.shares() != served  # what serves never rests on what does not count
            there.check()

    run(scenario())


def test_what_cannot_be_promoted_is_refused(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            with pytest.raises(Refused, match="goes live by itself here"):
                await here.guard.promotion.promote("live", tenant=TENANT)
            await here.serve(300)
        async with guarded(engine, tmp_path, mode="manual") as here:
            for wrong in ("1.99999999", "2.5"):
                with pytest.raises(Refused, match="no version"):
                    await here.guard.promotion.promote(wrong, tenant=TENANT)
            with pytest.raises(UnknownVersion):
                await here.guard.promotion.promote("newest", tenant=TENANT)
            archive = await here.versions.export("live", tenant=TENANT)
            await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            with pytest.raises(Refused, match="the gate refuses version"):
                await here.guard.promotion.promote("live", tenant=TENANT)
            assert here.shares()["c"] > 0.5

    run(scenario())


def test_a_promoted_version_that_earns_less_makes_room_again(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode="manual") as here:
            await here.serve(400)
            good = await here.guard.promotion.promote("live", tenant=TENANT)
            archive = await here.versions.export("live", tenant=TENANT)
            await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            await here.guard.promotion.promote("live", tenant=TENANT, force=True)
            assert here.shares()["c"] < 0.5
            await here.until(lambda: here.audited("gate.rollback"))
            assert here.learner.published(TENANT).version == good
            assert promoted(engine)[-1] == (TENANT, good)
            await here.serve(50)
            assert here.gate.standing(TENANT).trial is None
            here.check()

    run(scenario())


def test_a_candidate_is_promoted_once_the_log_speaks_for_it(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode="ope") as here:
            begun = here.shares()
            await here.serve(100)
            assert here.shares() == begun
            await here.until(lambda: here.audited("gate.promote"), most=3000)
            assert here.metric("gate_promotions_total") >= 1
            await until(lambda: here.shares()["c"] > begun["c"])
            here.check()

    run(scenario())


async def compared(here: Guarded, version: str) -> Comparison | None:
    proposal = here.gate.pins.of(here.learner.fold, TENANT)
    assert proposal is not None
    snapshot = here.gate.pins.state(here.learner.fold, TENANT, version).snapshot()
    live = here.learner.published(TENANT)
    return candidate(
        here.engine,
        here.learner.fold,
        TENANT,
        proposal=proposal._replace(snapshot=snapshot, position=0),
        live=live,
        margin=0.02,
    )


def test_a_candidate_that_is_worse_is_refused_by_the_log(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode="manual") as here:
            await here.serve(1000)
            good = here.learner.fold.version(TENANT)
            archive = await here.versions.export("live", tenant=TENANT)
            bad = await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            better, worse = await compared(here, good), await compared(here, bad)
            assert better is not None
            assert worse is not None
            assert better.verdict == "promote"
            assert worse.value < better.value
            assert worse.verdict != "promote"

    run(scenario())


def test_a_shadow_is_held_against_the_live_policy(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(200)
            after, arms = here.learner.fold.position, ("a", "b", "c")
            assert shadow(engine, here.learner.fold, TENANT, after=after, arms=arms, margin=0.02) is None
            await here.steering.shadow("random")
            await here.serve(300)
            found = shadow(engine, here.learner.fold, TENANT, after=after, arms=arms, margin=0.02)
            assert found is not None
            assert found.verdict != "promote"
            assert found.value < 0.0
            assert found.decisions == 300
            with engine.connect() as connection:
                asked = [each.event for each in read(connection, events.c.kind == Decision.kind)][-1]
            assert isinstance(asked, Decision)
            assert np.frombuffer(asked.shadow, "<f8").tolist() == pytest.approx([1 / 3] * 3)

    run(scenario())


def test_everyone_is_pinned_anew_where_the_feature_space_is_another(
    run: Run, engine: sa.Engine, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode="manual") as here:
            await here.serve(50)
            assert here.gate.pins.of(here.learner.fold, TENANT) is not None
            await here.guard.promotion.write("7.9", tenant=TENANT)
            assert here.gate.pins.of(here.learner.fold, TENANT) is None
            assert here.learner.published(TENANT).version == here.learner.fold.version(TENANT)
            await until(lambda: not here.live.failures)

    run(scenario())
