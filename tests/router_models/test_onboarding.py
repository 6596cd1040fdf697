from __future__ import annotations

import numpy as np
import pytest

from router_models import make
from router_models.onboarding import EXPERIENCE, RATE, TRIALS, with_trials
from router_models.policy import Arm, Observation, State

D = 6


def experienced(outcomes: int) -> State:
    state = make("polyculture", cap=None).start(dimensions=D, arms=[Arm(name=n, prior=np.zeros(D)) for n in "ab"])
    random = np.random.default_rng(1)
    for step in range(outcomes):
        x = random.normal(size=D).astype(np.float32)
        state.learn(Observation(arm="ab"[step % 2], features=x, reward=0.9))
    return state


def share(state: State) -> float:
    snapshot = state.snapshot()
    proposal = snapshot.propose(np.zeros(D, np.float32), eligible=np.ones(len(snapshot.arms), bool))
    return float(proposal.probabilities[snapshot.arms.index("new")])


def test_a_newcomer_is_tried_at_a_known_rate_and_a_bounded_number_of_times() -> None:
    state = experienced(EXPERIENCE)
    state.add(Arm(name="new", prior=np.full(D, -9.0)))
    for _ in range(int(TRIALS)):
        assert share(state) >= RATE * 0.99
        state.chose("new")
    assert share(state) < RATE
    assert make("polyculture", cap=None).load(state.arrays()).arrays()["trials"].tolist() == [0.0, 0.0, 0.0]


def test_trials_survive_a_restart_and_leave_with_the_arm() -> None:
    state = experienced(EXPERIENCE)
    state.add(Arm(name="new", prior=np.zeros(D)))
    state.chose("new")
    again = make("polyculture", cap=None).load(state.arrays())
    assert again.arrays()["trials"].tolist() == [0.0, 0.0, TRIALS - 1]
    again.remove("new")
    assert again.arrays()["trials"].tolist() == [0.0, 0.0]


def test_the_first_arms_are_no_newcomers() -> None:
    state = experienced(EXPERIENCE - 1)
    state.add(Arm(name="new", prior=np.zeros(D)))
    assert not state.arrays()["trials"].any()


def test_trials_keep_a_distribution_and_come_from_the_eligible_alone() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    mixed = with_trials(probabilities, np.array([[False, True, True], [False, False, False]]))
    assert mixed.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert mixed[0] == pytest.approx([0.5 * (1 - RATE), 0.5 * (1 - RATE) + RATE / 2, RATE / 2])
    assert mixed[1].tolist() == [1.0, 0.0, 0.0]
