"""What learns, and whether."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from gateway.events import EVERYONE, PolicyTuned
from gateway.versions.steering import Refused
from tests.log.conftest import Run
from tests.log.samples import TENANT, feedback
from tests.versions.teaching import taught


def test_learning_stops_for_one_tenant_or_for_all(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.steering.freeze(tenant=TENANT)
            await here.live.say(feedback("a", 1.0))
            await here.live.say(feedback("a", 1.0), tenant="acme")
            assert {name: own.lessons for name, own in here.learner.fold.states.items()} == {TENANT: 0, "acme": 1}
            await here.steering.freeze()
            await here.steering.freeze(False, tenant=TENANT)
            await here.live.say(feedback("a", 1.0), feedback("b", 1.0))
            assert here.learner.fold.lessons == 1
            await here.steering.freeze(False)
            await here.live.say(feedback("a", 1.0))
            assert here.learner.fold.states[TENANT].lessons == 1
            here.check()

    run(scenario())


def test_another_policy_knows_what_was_said_before(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a", times=30, bad="b")
            version = await here.steering.change_policy("linucb", {"width": 0.1})
            published = here.learner.published(TENANT)
            assert published.version == version
            assert here.shares()["a"] > 0.9
            assert json.loads(here.learner.fold.live.parameters) == {"width": 0.1, "exploration": 0.01}
            here.check()
            told: list[int] = []
            await here.steering.change_policy("polyculture", {"cap": 0.8}, also=lambda each: told.append(each.position))
            assert told == [here.learner.fold.position]
            assert json.loads(here.learner.fold.live.parameters) == {"cap": 0.8, "exploration": 0.01}
            here.check()

    run(scenario())


def test_what_is_declared_anew_holds_for_another_policy_too(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.steering.change_policy("linucb", {"width": 0.1})
            declared = {"exploration": 0.2, "cap": 0.9}
            await here.live.say(PolicyTuned(parameters=json.dumps(declared)), tenant=EVERYONE)
            assert json.loads(here.learner.fold.live.parameters) == {"width": 0.1, "exploration": 0.2}
            assert json.loads(here.learner.fold.started.parameters) == declared
            here.check()

    run(scenario())


def test_a_shadow_learns_the_same_and_serves_nobody(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            await here.teach("a", times=10, bad="b")
            before = here.shares()
            await here.steering.shadow("linucb", canary=0.1)
            assert here.shares() == before
            own = here.learner.fold.states[TENANT]
            assert own.shadow is not None
            assert here.learner.fold.controls.shadow(1).canary == 0.1  # type: ignore[union-attr]
            await here.teach("b")
            here.check()
            beside = own.shadow.arrays()
            await here.steering.change_policy("linucb")
            live = here.learner.fold.states[TENANT].learned
            assert live is not None
            assert {name: array.tolist() for name, array in live.arrays().items()} == {
                name: array.tolist() for name, array in beside.items()
            }
            await here.steering.shadow("")
            assert here.learner.fold.states[TENANT].shadow is None
            here.check()

    run(scenario())


def test_what_cannot_learn_is_refused(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        async with taught(engine) as here:
            with pytest.raises(Refused, match="no policy is called 'oracle'"):
                await here.steering.change_policy("oracle")
            with pytest.raises(Refused, match="has no parameter 'luck'"):
                await here.steering.change_policy("linucb", {"luck": 1})
            with pytest.raises(Refused, match="exploration is a share"):
                await here.steering.shadow("linucb", {"exploration": 7})
            with pytest.raises(Refused, match="fine of the policy 'polyculture' is a number"):
                await here.steering.shadow("polyculture", {"fine": 10**12})
            with pytest.raises(Refused, match="live already"):
                await here.steering.change_policy("polyculture")
            with pytest.raises(Refused, match="from 0 to"):
                await here.steering.shadow("linucb", canary=0.6)
            assert here.learner.fold.position == 3

    run(scenario())
