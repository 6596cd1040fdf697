"""What has changed is told, and forgotten by who learned it; nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from router_models import make
from router_models.alarm import Alarm
from router_models.belief import Belief
from router_models.drift import Drift
from router_models.pacing import RECENT
from router_models.policy import Arm, InvalidState, Observation
from tests.router_models.drift.test_prompts import DIMENSIONS, EVENLY, TOPICS, requests

NARROW = np.arange(TOPICS) < 2


def noticed(drift: Drift) -> list[Alarm]:
    """First prices of two arms, of which one rises; then other prompts."""
    prices = np.exp(0.5 * np.random.default_rng(1).normal(size=1000)) / 1000
    found = [drift.paid("steady", usd) for usd in prices.tolist()]
    prices[500:] *= 3.0
    found += [drift.paid("dearer", usd) for usd in prices.tolist()]
    for x in np.concatenate([requests(1, 2500, topics=EVENLY), requests(2, 400, topics=NARROW)]):
        found.append(drift.asked(x))
    return [alarm for alarm in found if alarm is not None]


def test_each_change_is_told_once_and_of_whom() -> None:
    dearer, asked = noticed(Drift())
    assert (dearer.kind, dearer.arm, asked.kind, asked.arm) == ("prices", "dearer", "prompts", "")
    assert 2.0 < dearer.ratio < 4.5
    assert 0.002 < dearer.mean < 0.005


def test_another_feature_space_begins_anew_and_an_arm_that_left_is_forgotten() -> None:
    drift = Drift()
    for x in requests(1, 600, topics=EVENLY):
        drift.asked(x)
    drift.paid("a", 1.0)
    drift.moved()
    drift.remove("a")
    assert not any(array.size for array in drift.arrays().values())
    assert drift.asked(np.zeros(3, np.float32)) is None


def test_what_was_saved_goes_on_alike() -> None:
    one, other = Drift(), Drift()
    for x in requests(3, 2400, topics=EVENLY):
        one.asked(x)
    for usd in np.random.default_rng(2).pareto(2.0, 400).tolist():
        one.paid("a", usd)
    other.restore(one.arrays())
    assert noticed(one) == noticed(other)
    with pytest.raises(InvalidState, match="unique"):
        other.restore({**one.arrays(), "arms": np.array(["a", "a"])})


def taught() -> Belief:
    prior = np.zeros(DIMENSIONS)
    state = make("polyculture", budget=0.01).start(
        dimensions=DIMENSIONS, arms=[Arm(name=name, prior=prior) for name in "ab"]
    )
    assert isinstance(state, Belief)
    for place, x in enumerate(requests(5, 400, topics=EVENLY)):
        state.learn(Observation(arm="ab"[place % 2], features=x, reward=float(place % 3 == 0)))
        state.paid("ab"[place % 2], 0.002)
    return state


def test_other_prompts_make_neighbourhoods_of_their_own_and_no_outcome_is_lost() -> None:
    state = taught()
    for x in requests(6, 128, topics=NARROW):
        state.learn(Observation(arm="a", features=x, reward=1.0))
    outcomes = state.memory.arrays()
    wide = len(state.basis.grains[1].centres)
    state.drifted(Alarm("prompts", 128))
    assert len(state.basis.grains[1].centres) < wide
    assert all((state.memory.arrays()[name] == array).all() for name, array in outcomes.items())
    again = make("polyculture", budget=0.01).load(state.arrays())
    assert isinstance(again, Belief)
    assert again.moved == state.moved == 400
    state.relearn()
    again.relearn()
    assert (state.posterior.estimate == again.posterior.estimate).all()


def test_another_price_is_expected_of_its_arm_alone() -> None:
    state = taught()
    before = state.snapshot().coefficients
    state.drifted(Alarm("prices", 20, "b", 5.0, 0.01))
    assert state.pacer.costs.tolist() == [[RECENT, 20.0], [pytest.approx(0.002), 0.01]]
    state.drifted(Alarm("prices", 20, "nobody", 5.0, 0.01))
    state.drifted(Alarm("latencies", 20, "b", 5.0, 0.01))
    assert state.pacer.costs[1].tolist() == [pytest.approx(0.002), 0.01]
    assert (state.snapshot().coefficients == before).all()


def test_an_arm_that_is_no_longer_what_it_was_is_told_by_what_learns() -> None:
    state = taught()
    found = [state.learn(Observation(arm="a", features=x, reward=1.0)) for x in requests(7, 100, topics=EVENLY)]
    (alarm,) = [each for each in found if each is not None]
    assert (alarm.kind, alarm.arm) == ("outcomes", "a")
    make("random").start(dimensions=2, arms=()).drifted(alarm)
