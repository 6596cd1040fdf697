"""A candidate is refused that is unsound, or not sane beside a trusted version; one that has merely learned is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from router_models import make
from router_models.baselines.state import BaselineView
from router_models.gate import Evidence, Examination, examine
from router_models.gate.evidence import LATEST, LEAST
from router_models.policy import Arm, Observation, Snapshot
from router_models.view import View
from tests.router_models.gate.worlds import ARMS, DIMENSIONS, World, learned

FLOOR, CAP = 0.01, 0.6


@pytest.fixture(scope="module")
def world() -> World:
    return learned(1)


def view(world: World) -> View:
    snapshot = world.state.snapshot()
    assert isinstance(snapshot, View)
    return snapshot


def examined(world: World, candidate: Snapshot) -> Examination:
    return examine(candidate, trusted=world.state.snapshot(), evidence=world.evidence, floor=FLOOR, cap=CAP)


def checks(found: Examination) -> list[str]:
    return [finding.check for finding in found.findings]


def test_what_was_learned_goes_live() -> None:
    """Also when an arm fails, and the traffic moves to others within a hundred requests."""
    world = learned(2)
    trusted = world.state.snapshot()
    best = int(world.means.argmax())
    moved = []
    for place in range(12):
        if place == 4:
            world.means[best] = -1.0
        world.learn(50)
        found = examine(world.state.snapshot(), trusted=trusted, evidence=world.evidence, floor=FLOOR, cap=CAP)
        assert not found.findings
        moved.append(found.moved)
        assert found.worse < 2.0
        assert 0.0 < found.largest <= 1.0 <= found.effective <= ARMS
    assert max(moved) > 0.3


@pytest.mark.parametrize("seed", range(3, 6))
def test_arms_permuted_are_refused(seed: int) -> None:
    world = learned(seed)
    found = examined(world, world.permuted().snapshot())
    assert checks(found) == ["sane"]
    assert found.worse > 1.0


def test_numbers_that_are_none_are_refused(world: World) -> None:
    coefficients = view(world).coefficients.copy()
    coefficients[0, 3] = np.nan
    assert checks(examined(world, replace(view(world), coefficients=coefficients))) == ["sound"]
    assert checks(examined(world, replace(view(world), noise=0.0))) == ["sound"]
    ridge = make("linucb").start(dimensions=3, arms=[Arm(name="a", prior=np.zeros(3))]).snapshot()
    assert not examine(ridge, trusted=ridge, evidence=Evidence()).findings
    assert isinstance(ridge, BaselineView)
    broken = replace(ridge, priors=np.full((1, 3), np.inf))
    assert checks(examine(broken, trusted=ridge, evidence=Evidence())) == ["sound"]


def test_a_covariance_that_is_none_is_refused(world: World) -> None:
    covariance = view(world).covariance.copy()
    covariance[2, 5, 5] = -covariance[2, 5, 5]
    broken = replace(view(world), covariance=covariance)
    found = examined(world, broken)
    assert found.findings == (("sound", "a covariance is not positive definite"),)
    broken.check(since=broken)
    view(world).check(since=view(world))


def test_no_exploration_is_refused(world: World) -> None:
    assert checks(examined(world, replace(view(world), exploration=0.001))) == ["floor"]


def test_probabilities_that_are_none_are_refused(world: World) -> None:
    assert checks(examined(world, replace(view(world), exploration=-3.0))) == ["floor"]
    samples = np.full_like(view(world).samples, np.nan)
    assert checks(examined(world, replace(view(world), samples=samples))) == ["distribution"]


def test_an_arm_that_no_price_can_move_is_refused(world: World) -> None:
    coefficients = view(world).coefficients.copy()
    coefficients[1, 0] += 50.0
    found = examined(world, replace(view(world), coefficients=coefficients))
    assert checks(found) == ["collapse"]
    assert "arm-1 keeps" in found.findings[0].message


def test_arms_may_come_and_go_between_two_versions(world: World) -> None:
    other = make("polyculture").load(world.state.arrays())
    other.remove("arm-0")
    other.add(Arm(name="new", prior=np.zeros(DIMENSIONS)))
    assert not examined(world, other.snapshot()).findings


def test_prices_are_taken_over_by_name(world: World) -> None:
    other = make("polyculture").load(world.state.arrays())
    other.remove("arm-0")
    for _ in range(30):
        other.chose("arm-3")
    beliefs, prices = view(world), other.snapshot()
    assert isinstance(prices, View)
    priced = beliefs.priced(prices)
    assert priced.prices[1:].tolist() == prices.prices.tolist()
    assert priced.prices[0] == beliefs.prices[0]
    assert (priced.coefficients == beliefs.coefficients).all()
    stranger = make("random").start(dimensions=DIMENSIONS, arms=()).snapshot()
    assert beliefs.priced(stranger) is beliefs
    assert stranger.priced(beliefs) is stranger


def test_evidence_keeps_each_arms_last_outcomes() -> None:
    evidence = Evidence()
    for place in range(500):
        arm = "often" if place % 10 else "seldom"
        evidence.take(Observation(arm=arm, features=np.full(2, place, np.float32), reward=0.5))
    evidence.take(Observation(arm="often", features=np.zeros(2, np.float32), reward=1.0, previous=0.5))
    evidence.take(Observation(arm="often", features=np.zeros(2, np.float32), reward=1.0, weight=0.0))
    seen = evidence.among(("often", "seldom", "never"))
    assert seen.arms.count("seldom") == 50
    assert seen.arms.count("often") == LEAST // 2
    assert seen.features[seen.arms.index("often")].tolist() == [429.0, 429.0]
    for number in range(8):
        for _ in range(100):
            evidence.take(Observation(arm=str(number), features=np.zeros(2, np.float32), reward=0.5))
    assert len(evidence.among(tuple("01234567")).rewards) == 8 * LATEST
    assert len(evidence) == 50 + LEAST + 8 * 100
