"""What of the learned goes live, what is tried, and what has to go again: a running learner behind the gate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from gateway.events import EVERYONE, ArmRemoved, Decision, FeedbackExcluded
from gateway.gate import standing
from gateway.versions.steering import Refused
from router_models.belief import Belief
from tests.gate.forged import permuted
from tests.gate.guarded import guarded
from tests.log.conftest import Run, until
from tests.log.samples import TENANT, arm


def test_a_state_that_is_none_is_refused_and_the_last_good_one_serves(
    run: Run, engine: sa.Engine, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(50)
            good = here.learner.published(TENANT)
            state = here.learner.fold.state(TENANT)
            assert isinstance(state, Belief)
            state.memory.rewards[:] = state.posterior.estimate[:] = np.nan
            await here.serve(50)
            served = here.learner.published(TENANT)
            assert served.version == good.version
            assert here.shares()["c"] > 0.1
            await until(lambda: here.audited("gate.refuse"))
            (entry,) = here.audited("gate.refuse")
            assert "beliefs must be finite" in entry.detail
            assert here.metric("gate_refusals_total", check="sound") == 1

    run(scenario())


def test_trust_follows_what_was_tried(
    run: Run, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "FIRST", 100)

    async def scenario() -> None:
        async with guarded(engine, tmp_path, trial_outcomes=100, control_share=0.2) as here:
            await here.serve(90)
            assert set(here.groups) == {""}
            await here.serve(60)
            own = here.gate.standing(TENANT)
            first = own.trusted
            assert first is not None
            await here.serve(400)
            assert own.trusted is not None
            assert int(own.trusted.version.split(".")[1]) > int(first.version.split(".")[1])
            served = here.learner.published(TENANT)
            assert served.beside is not None
            assert served.beside.control is not None
            assert served.beside.control.version == own.trusted.version != served.version
            assert 0.05 < here.groups.count("control") / len(here.groups) < 0.25
            assert not own.fallen
            here.check()

    run(scenario())


def test_what_was_forced_in_and_is_worse_is_rolled_back(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(400)
            archive = await here.versions.export("live", tenant=TENANT)
            before = here.learner.published(TENANT).version
            with pytest.raises(Refused, match="the gate refuses this state"):
                await here.guard.promotion.check(permuted(archive), tenant=TENANT, adapt=False)
            await here.guard.promotion.check(archive, tenant=TENANT, adapt=False)
            await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            assert here.shares()["c"] < 0.5
            await here.until(lambda: here.audited("gate.rollback"))
            await here.learner.settled()
            (entry,) = here.audited("gate.rollback")
            assert f'"trusted":"{before}"' in entry.detail
            assert here.metric("gate_rollbacks_total", cause="imported") == 1
            assert 400 <= here.learner.fold.lessons < 430  # what it taught itself meanwhile does not count
            assert here.shares()["c"] > 0.5
            here.check()

    run(scenario())


def test_a_bad_version_after_a_bad_version_does_not_become_the_trusted_one(
    run: Run, engine: sa.Engine, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(400)
            archive = await here.versions.export("live", tenant=TENANT)
            before = here.learner.published(TENANT).version
            for _ in range(2):
                await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
                await here.serve(5)
            own = here.gate.standing(TENANT)
            assert own.trusted is not None
            assert own.trusted.version == before
            assert own.doubts
            await here.until(lambda: here.audited("gate.rollback"))
            await here.learner.settled()
            assert here.shares()["c"] > 0.5
            assert "predicts recent outcomes worse" in here.audited("gate.rollback")[0].detail
            here.check()

    run(scenario())


def test_what_did_not_come_by_learning_is_tried_as_it_came(
    run: Run, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "AS_IT_CAME", 60)

    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(200)
            archive = await here.versions.export("live", tenant=TENANT)
            brought = await here.steering.bring(archive, tenant=TENANT, forced=True)
            await here.serve(50)
            assert not here.gate.standing(TENANT).doubts
            assert here.learner.published(TENANT).version == brought != here.learner.fold.version(TENANT)
            await here.serve(50)
            assert here.learner.published(TENANT).version == here.learner.fold.version(TENANT)
            here.check()

    run(scenario())


def test_an_import_that_slipped_in_unasked_serves_nobody(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(400)
            archive = await here.versions.export("live", tenant=TENANT)
            await here.steering.bring(permuted(archive), tenant=TENANT)
            assert here.shares()["c"] > 0.5
            await until(lambda: here.audited("gate.rollback"))
            await here.learner.settled()
            here.check()

    run(scenario())


def test_another_policy_that_earns_less_makes_room_again(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(300)
            lessons = here.learner.fold.lessons
            await here.steering.change_policy("random")
            assert here.shares()["c"] == pytest.approx(1 / 3)
            taken = await here.until(lambda: here.learner.fold.live.policy == "polyculture")
            assert here.learner.fold.lessons == lessons + taken
            assert here.shares()["c"] > 0.5
            assert here.metric("gate_rollbacks_total", cause="policy") == 1
            await here.serve(50)
            assert not here.gate.standing(TENANT).fallen
            here.check()

    run(scenario())


def test_after_a_control_event_nothing_of_before_is_held_against_anybody(
    run: Run, engine: sa.Engine, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(100)
            own = here.gate.standing(TENANT)
            assert len(own.evidence) == 100
            last = here.learner.fold.position
            await here.live.rule(FeedbackExcluded(last // 2, last, "revoked"))
            assert 30 < len(here.gate.standing(TENANT).evidence) < 70
            here.check()
        async with guarded(engine, tmp_path) as again:
            assert 30 < len(again.gate.standing(TENANT).evidence) < 70

    run(scenario())


def test_a_shadow_is_asked_and_logged_and_a_canary_served(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(50)
            assert here.learner.published(TENANT).shadow is None
            await here.steering.shadow("random")
            await here.serve(50)
            assert set(here.groups) == {""}
            await here.steering.shadow("random", canary=0.3)
            await here.serve(100)
            assert 15 < here.groups.count("canary") < 45
            served = here.learner.published(TENANT)
            assert served.beside is not None
            assert served.beside.canary is not None
            assert served.beside.canary.snapshot is served.shadow
            await here.steering.shadow("")
            await here.serve(5)
            assert here.learner.published(TENANT).shadow is None
            here.check()

    run(scenario())


def test_arms_may_come_and_go_under_a_trial(
    run: Run, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "FIRST", 50)

    async def scenario() -> None:
        async with guarded(engine, tmp_path, control_share=0.3) as here:
            await here.serve(100)
            assert here.gate.standing(TENANT).trial is not None
            here.good["d"] = 0.9
            await here.live.say(arm("d"), tenant=EVERYONE)
            await here.serve(50)
            await here.live.say(ArmRemoved(name="a"), tenant=EVERYONE)
            await here.serve(50)
            assert here.learner.published(TENANT).snapshot.arms == ("b", "c", "d")
            assert here.groups.count("control") > 20
            here.check()

    run(scenario())


def test_decisions_say_who_proposed_them(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(20)
            decision = here.one(TENANT)[0][0]
            assert isinstance(decision, Decision)
            assert decision.lesson("b") != decision.lesson("c")
            lesson = decision.lesson("b")
            assert lesson is not None
            assert (lesson.group, lesson.share, lesson.trial) == (decision.group, decision.share, decision.trial)

    run(scenario())
