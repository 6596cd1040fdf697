"""The trial flags a bad version soon, and a good one hardly ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models.gate import Trial
from router_models.policy import InvalidState
from tests.router_models.gate.worlds import learned

NEVER = 10**9


def flagged_after(
    trial: Trial, rng: np.random.Generator, outcome: Callable[[int, bool], float], *, requests: int, delay: int
) -> int:
    """How many outcomes it takes; each comes ``delay`` requests after its own."""
    waiting: deque[tuple[float, bool, float]] = deque()
    for place, number in enumerate(rng.random(requests).tolist()):
        if len(waiting) > delay:
            reward, live, share = waiting.popleft()
            if trial.update(reward, live=live, share=share):
                return trial.outcomes
        live = number >= trial.share
        waiting.append((outcome(place, live), live, trial.share))
    return NEVER


def quiet_run(seed: int) -> int:
    """3,000 outcomes: the live version learns, and an upstream has a bad day, which befalls both."""
    rng = np.random.default_rng([seed, 1])
    chance = np.full(3000, 0.6)
    worst = int(rng.integers(3000))
    chance[worst : worst + 400] -= 0.35
    ahead = np.linspace(0.0, 0.08, 3000)
    answers = rng.random(3000)
    live, control = (answers < chance + ahead).tolist(), (answers < chance).tolist()
    delay = int(rng.integers(200))
    return flagged_after(
        Trial(), rng, lambda place, ours: float((live if ours else control)[place]), requests=3000, delay=delay
    )


def test_quiet_runs_are_hardly_ever_flagged() -> None:
    assert sum(quiet_run(seed) < NEVER for seed in range(500)) <= 5


def coin(seed: int) -> int:
    """Two versions that earn the same, with nothing tolerated."""
    rng = np.random.default_rng([seed, 2])
    answers = (rng.random(1000) < 0.5).astype(float).tolist()
    trial = Trial(alpha=0.1, tolerance=0.0, share=0.25)
    return flagged_after(trial, rng, lambda place, _: answers[place], requests=1000, delay=20)


def test_two_versions_alike_are_hardly_ever_told_apart() -> None:
    """At the edge of what is allowed, the bound is the one proved."""
    assert sum(coin(seed) < NEVER for seed in range(150)) <= 25  # 15 on average; more than 25 once in 300 times


def permuted_run(seed: int) -> int:
    world = learned(seed)
    live, control = world.permuted().snapshot(), world.state.snapshot()

    def outcome(place: int, ours: bool) -> float:
        features, answers = world.request()
        return float(answers[world.choose(live if ours else control, features)])

    return flagged_after(Trial(), world.rng, outcome, requests=400, delay=20)


def test_a_version_with_arms_permuted_is_flagged_within_300_outcomes() -> None:
    assert max(permuted_run(seed) for seed in range(5)) <= 300


@pytest.mark.parametrize(("live", "control", "flagged"), [(0.2, 0.2, False), (0.2, 0.7, True)])
def test_a_bad_day_of_both_is_not_blamed_on_the_live_version(live: float, control: float, flagged: bool) -> None:
    rng, trial = np.random.default_rng(0), Trial()

    def outcome(place: int, ours: bool) -> float:
        return float(rng.random() < (0.7 if place < 100 else live if ours else control))

    assert (flagged_after(trial, rng, outcome, requests=1000, delay=0) < NEVER) == flagged
    assert trial.flagged == flagged


def test_suspicion_gives_the_control_more_requests_and_time_fewer() -> None:
    trial = Trial(share=0.2, least=0.05, course=100)
    assert trial.share == 0.2
    shares = []
    for place in range(200):
        live = place % 5 > 0
        trial.update(0.0 if live else 1.0, live=live, share=trial.share)
        shares.append(trial.share)
    assert max(shares) == 0.5
    quiet = Trial(share=0.2, least=0.05, course=100)
    for place in range(100):
        quiet.update(0.5, live=place % 5 > 0, share=0.2)
    assert quiet.share == 0.05
    assert quiet.evidence < 0.0


def test_an_outcome_without_weight_proves_nothing() -> None:
    trial = Trial()
    for _ in range(100):
        assert not trial.update(0.0, live=True, share=0.3, weight=0.0)
    assert trial.evidence == pytest.approx(0.0)


outcomes = st.tuples(st.sampled_from([0.0, 0.3, 1.0]), st.booleans(), st.floats(0.01, 0.5))


@settings(max_examples=30, deadline=None)
@given(before=st.lists(outcomes, max_size=40), after=st.lists(outcomes, max_size=40))
def test_a_trial_that_was_saved_goes_on_alike(
    before: list[tuple[float, bool, float]], after: list[tuple[float, bool, float]]
) -> None:
    one, other = Trial(), Trial()
    for reward, live, share in before:
        one.update(reward, live=live, share=share)
    other.restore(one.arrays())
    for reward, live, share in after:
        assert one.update(reward, live=live, share=share) == other.update(reward, live=live, share=share)
    assert (one.evidence, one.share, one.outcomes, one.flagged) == (
        other.evidence,
        other.share,
        other.outcomes,
        other.flagged,
    )


def test_bad_input_is_refused() -> None:
    for alpha, tolerance, share, least in (
        (0, 0, 0.3, 0.1),
        (0.1, 0.2, 0.3, 0.1),
        (0.1, 0, 0.6, 0.1),
        (0.1, 0, 0.1, 0.2),
    ):
        with pytest.raises(ValueError, match="not"):
            Trial(alpha=alpha, tolerance=tolerance, share=share, least=least)
    for reward, share, weight in ((1.5, 0.3, 1.0), (float("nan"), 0.3, 1.0), (0.5, 0.0, 1.0), (0.5, 0.3, 2.0)):
        with pytest.raises(ValueError, match="not"):
            Trial().update(reward, live=True, share=share, weight=weight)
    for arrays in ({}, {"trial": np.zeros(7)}, {"trial": np.full(7, np.nan)}, {"trial": np.zeros(3)}):
        with pytest.raises(InvalidState, match="no trial"):
            Trial().restore(arrays)
