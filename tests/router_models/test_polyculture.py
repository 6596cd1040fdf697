"""The default policy learns: who is good at what, who has changed, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from router_models import make
from router_models.belief import Belief
from router_models.policy import Arm, Credit, Observation, Vector
from router_models.polyculture import Polyculture
from router_models.relearning import AVERAGE

D, NAMES = 8, ("ada", "bob", "cyd")
KINDS = np.eye(3, D - 1) + 0.1

Reward = Callable[[int, int, int], float]
"""Expected reward by step, arm and kind of request."""


class Run:
    """A stream of requests of three kinds, routed and learned from."""

    def __init__(self, policy: Polyculture, *, reward: Reward, steps: int, costs: Vector | None = None) -> None:
        random = np.random.default_rng(0)
        self.state: Belief = policy.start(dimensions=D, arms=[Arm(name=name, prior=np.zeros(D)) for name in NAMES])
        self.choices, self.kinds = np.zeros(steps, dtype=int), random.integers(3, size=steps)
        self.expected, self.spent = np.zeros(steps), np.zeros(steps)
        for step, kind in enumerate(self.kinds):
            x = self.request(int(kind), random)
            proposal = self.state.snapshot().propose(x, eligible=np.ones(3, dtype=bool), costs=costs)
            arm = int(random.choice(3, p=proposal.probabilities))
            mean = reward(step, arm, int(kind))
            self.choices[step], self.expected[step] = arm, mean
            self.spent[step] = 0.0 if costs is None else costs[arm] * random.uniform(0.5, 1.5)
            self.state.chose(NAMES[arm])
            self.state.paid(NAMES[arm], self.spent[step])
            self.state.learn(Observation(arm=NAMES[arm], features=x, reward=float(random.random() < mean)))

    @staticmethod
    def request(kind: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
        return np.concatenate([[1.0], KINDS[kind] + random.normal(scale=0.15, size=D - 1)]).astype(np.float32)


def specialists(step: int, arm: int, kind: int) -> float:
    return 0.9 if arm == kind else 0.3


def test_learns_specialists_within_a_few_hundred_requests() -> None:
    run = Run(make_default(cap=None), reward=specialists, steps=400)
    assert run.expected[:100].mean() < run.expected[-200:].mean()
    assert run.expected[-200:].mean() > 0.82


def test_notices_a_silent_failure_and_the_recovery() -> None:
    def reward(step: int, arm: int, kind: int) -> float:
        return (0.2 if 800 <= step < 1300 else 0.9) if arm == 0 else 0.6

    run = Run(make_default(cap=None), reward=reward, steps=2300)
    favourite = run.choices == 0
    assert favourite[600:800].mean() > 0.9
    assert favourite[950:1300].mean() < 0.2
    assert run.state.memory.weights.min() < 1.0


def test_holds_the_share_cap_in_every_window() -> None:
    run = Run(make_default(cap=0.5), reward=lambda step, arm, kind: 0.9 if arm == 1 else 0.6, steps=1500)
    windows = np.convolve(run.choices == 1, np.ones(500), mode="valid")
    assert windows.max() <= 0.53 * 500
    assert (run.choices == 1)[500:].mean() > 0.45


@pytest.mark.parametrize("budget", [3e-4, 1e-3, 3e-3])
def test_holds_a_budget_and_uses_it(budget: float) -> None:
    costs = np.array([1e-4, 1e-3, 1e-2])
    run = Run(
        make_default(cap=None, budget=budget), reward=lambda step, arm, kind: 0.5 + 0.2 * arm, steps=1500, costs=costs
    )
    assert run.spent.mean() <= 1.02 * budget
    assert run.spent.mean() >= 0.8 * budget


def test_untrusted_outcomes_count_for_less() -> None:
    def disagreement(weight: float) -> float:
        state = make_default().start(dimensions=D, arms=[Arm(name=name, prior=np.zeros(D)) for name in NAMES])
        random = np.random.default_rng(0)
        for step in range(120):
            x = Run.request(step % 3, random)
            state.learn(Observation(arm="ada", features=x, reward=0.9))
            state.learn(Observation(arm="ada", features=x, reward=0.0, weight=weight))
        scores = state.snapshot().propose(Run.request(0, random), eligible=np.ones(3, dtype=bool)).scores
        return float(scores[0])

    assert disagreement(1.0) < 0.55
    assert disagreement(0.05) > 0.75


def test_descriptions_route_at_first_and_outcomes_overrule_them() -> None:
    arms = [
        Arm(name=name, prior=0.3 * np.concatenate([[0.0], KINDS[(index + 1) % 3]])) for index, name in enumerate(NAMES)
    ]
    state = make_default(cap=None).start(dimensions=D, arms=arms)
    random = np.random.default_rng(0)
    first = state.snapshot().propose(Run.request(1, random), eligible=np.ones(3, dtype=bool))
    assert first.probabilities.argmax() == 0
    for step in range(300):
        kind, arm = step % 3, int(random.integers(3))
        reward = float(random.random() < specialists(step, arm, kind))
        state.learn(Observation(arm=NAMES[arm], features=Run.request(kind, random), reward=reward))
    view = state.snapshot()
    for kind in range(3):
        requests = [Run.request(kind, random) for _ in range(20)]
        scores = [view.propose(x, eligible=np.ones(3, dtype=bool)).scores for x in requests]
        assert np.mean(scores, axis=0).argmax() == kind


def test_an_amended_outcome_ends_up_as_if_it_had_been_right_at_once() -> None:
    arms = [Arm(name=name, prior=np.zeros(D)) for name in NAMES]
    amended, right = (make_default().start(dimensions=D, arms=arms) for _ in range(2))
    random = np.random.default_rng(0)
    stream = [(NAMES[step % 3], Run.request(step % 3, random)) for step in range(100)]
    for arm, x in stream:
        amended.learn(Observation(arm=arm, features=x, reward=0.0))
        amended.learn(Observation(arm=arm, features=x, reward=1.0, previous=0.0))
        right.learn(Observation(arm=arm, features=x, reward=1.0))
    amended.relearn()
    right.relearn()
    x = stream[0][1]
    one, other = (state.snapshot().propose(x, eligible=np.ones(3, dtype=bool)) for state in (amended, right))
    assert one.scores == pytest.approx(other.scores, abs=0.02)


def test_what_is_weighed_anew_was_as_if_weighed_so_from_the_start() -> None:
    """Two sources: one is found out, the other is vouched for and stays what it was."""
    found, known = (
        make_default().start(dimensions=D, arms=[Arm(name=name, prior=np.zeros(D)) for name in NAMES]) for _ in range(2)
    )
    random = np.random.default_rng(0)
    for step in range(200):
        x, arm, reward = Run.request(step % 3, random), NAMES[step % 3], float(random.random() < 0.5)
        for state, honesty in ((found, 0.8), (known, 0.1)):
            state.learn(Observation(arm=arm, features=x, reward=1 - reward))
            state.learn(Observation(arm=arm, features=x, reward=reward, weight=honesty / 2, source=5, honesty=honesty))
    before = found.snapshot()
    assert not found.reweigh(Credit(sources=np.array([4, 6]), honesty=np.array([0.1, 0.1])))
    assert found.snapshot().coefficients is before.coefficients
    assert found.reweigh(Credit(sources=np.array([4, 5]), honesty=np.array([0.1, 0.1])))
    known.refit()
    assert found.snapshot().coefficients == pytest.approx(known.snapshot().coefficients, abs=1e-5)
    assert found.snapshot().coefficients != pytest.approx(before.coefficients, abs=1e-2)


def test_what_is_amended_counts_no_more_than_it_does_by_now() -> None:
    """Somebody has been found out, and says the opposite of it all: until beliefs are formed anew, and after that."""
    state = make_default().start(dimensions=D, arms=[Arm(name=name, prior=np.zeros(D)) for name in NAMES])
    random = np.random.default_rng(0)
    told = [
        Observation(arm=NAMES[n % 3], features=Run.request(n % 3, random), reward=1.0, source=1 + n % 2, honesty=1.0)
        for n in range(100)
    ]
    for each in told:
        state.learn(each)
    assert state.reweigh(Credit(sources=np.array([2]), honesty=np.array([0.01])))
    before = state.snapshot().coefficients
    for each in told[1::2]:
        state.learn(replace(each, reward=0.0, previous=1.0))
    at_once = state.snapshot().coefficients
    state.refit()
    assert at_once == pytest.approx(before, abs=0.03)
    assert state.snapshot().coefficients == pytest.approx(at_once, abs=0.03)


@pytest.mark.parametrize("steps", [0, 40, 300])
def test_a_snapshot_says_what_the_posterior_says(steps: int) -> None:
    state = Run(make_default(), reward=specialists, steps=steps).state
    state.add(Arm(name="bob", prior=np.linspace(-0.3, 0.3, D)))
    x = Run.request(1, np.random.default_rng(1))
    places = np.tile(state.basis.places(x[None])[0].astype(float), (3, 1))
    matches = places[:, -1] = state.priors @ x
    mean = AVERAGE + matches + (places * state.posterior.coefficients()).sum(axis=1)
    variance = np.einsum("ki,kij,kj->k", places, state.posterior.covariance, places)
    told = state.snapshot().predict(x[None])
    assert told[0][0] == pytest.approx(mean, abs=1e-4)
    assert told[1][0] == pytest.approx(variance, rel=1e-3)


def test_a_snapshot_has_the_places_in_use_alone() -> None:
    assert Run(make_default(), reward=specialists, steps=0).state.snapshot().covariance.shape == (3, 2, 2)
    state = Run(make_default(), reward=specialists, steps=300).state
    assert state.snapshot().covariance.shape[2] == len(state.basis.used) < state.basis.size


def test_state_stays_small() -> None:
    state = make_default().start(
        dimensions=64, arms=[Arm(name=f"arm-{index}", prior=np.zeros(64)) for index in range(20)]
    )
    random = np.random.default_rng(0)
    for step in range(9000):
        x = random.normal(scale=0.15, size=64).astype(np.float32)
        state.memory.append(step % 20, Observation(arm="", features=x, reward=0.5))
    state.relearn()
    assert sum(array.nbytes for array in state.arrays().values()) < 2_000_000


def make_default(**parameters: float | None) -> Polyculture:
    policy = make("polyculture", **parameters)
    assert isinstance(policy, Polyculture)
    return policy
