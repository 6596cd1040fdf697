"""Confidence sequences hold at all times at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models.evaluation import ConfidenceSequence, Difference
from tests.router_models.evaluation.problems import problem

RUNS = 150
WRONG = 20
"""A sequence that errs in at most 5 % of runs errs in more than 20 of 150 about once in a hundred thousand times."""


@pytest.mark.parametrize("mean", [0.02, 0.5, 0.9])
def test_the_mean_is_hardly_ever_excluded_at_any_time(mean: float) -> None:
    wrong, widths = 0, []
    for seed in range(RUNS):
        sequence = ConfidenceSequence(resolution=200)
        low, high = sequence.extend((np.random.default_rng(seed).random(2000) < mean).astype(np.float64))
        wrong += not low <= mean <= high  # the intervals are nested: the last one excludes what any one did
        widths.append(high - low)
    assert wrong <= WRONG
    assert np.median(widths) < 0.12


def test_an_off_policy_value_is_hardly_ever_excluded_at_any_time() -> None:
    wrong, widths = 0, []
    for seed in range(RUNS):
        asked = problem(seed, requests=4, arms=3, floor=0.1)
        log = asked.log(np.random.default_rng([1, seed]), size=1500)
        low, high = ConfidenceSequence(resolution=200).extend(log.rewards, log.weights)
        wrong += not low <= asked.value <= high
        widths.append(high - low)
    assert wrong <= WRONG
    assert np.median(widths) < 0.4


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 60), weighted=st.booleans())
def test_one_at_a_time_and_all_at_once_are_the_same_and_intervals_only_shrink(
    seed: int, cut: int, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    rewards, weights = rng.random(60), rng.exponential(size=60) if weighted else np.ones(60)
    single, split = ConfidenceSequence(resolution=50), ConfidenceSequence(resolution=50)
    path = [single.update(r, weight=w) for r, w in zip(rewards, weights, strict=True)]
    split.extend(rewards[:cut], weights[:cut])
    assert split.extend(rewards[cut:], weights[cut:]) == pytest.approx(path[-1])
    assert single.count == split.count == 60
    assert all(a.low <= b.low + 1e-9 and b.high <= a.high + 1e-9 for a, b in pairwise(path))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_lost_mirrors_what_is_gained(seed: int) -> None:
    rewards = np.random.default_rng(seed).beta(5, 2, size=300)
    low, high = ConfidenceSequence(resolution=100).extend(rewards)
    mirrored = ConfidenceSequence(resolution=100).extend(1.0 - rewards)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low))


def streams(seed: int, *, live: float, control: float, drift: bool, size: int = 3000) -> Difference:
    """A fifth of the requests goes to the control; on bad days both do worse alike."""
    rng = np.random.default_rng(seed)
    difference = Difference(resolution=200)
    for place in range(size):
        is_live = rng.random() < 0.8
        bad = 0.3 if drift and place % 1000 > 500 else 0.0
        mean = (live if is_live else control) - bad
        difference.update(float(rng.random() < mean), live=is_live)
    return difference


@pytest.mark.parametrize("drift", [False, True])
def test_equal_streams_are_hardly_ever_told_apart(drift: bool) -> None:
    found = [streams(seed, live=0.7, control=0.7, drift=drift) for seed in range(60)]
    assert sum(not each.interval.low <= 0.0 <= each.interval.high for each in found) <= 10
    assert all(450 < each.pairs < 700 for each in found)


def test_a_worse_stream_is_found_out() -> None:
    found = [streams(seed, live=0.45, control=0.75, drift=True).interval for seed in range(20)]
    assert sum(each.high < 0.0 for each in found) >= 19
    assert all(each.low <= -0.3 <= each.high for each in found)


def test_before_anything_is_seen_everything_is_possible() -> None:
    assert ConfidenceSequence().interval == (0.0, 1.0)
    assert ConfidenceSequence().extend(np.zeros(0)) == (0.0, 1.0)
    assert Difference().interval == (-1.0, 1.0)
    assert Difference().update(1.0, live=True) == (-1.0, 1.0)


def test_a_mean_that_has_changed_does_not_turn_the_interval_inside_out() -> None:
    sequence = ConfidenceSequence(resolution=100)
    sequence.extend(np.zeros(1000))
    low, high = sequence.extend(np.ones(3000))
    assert 0.0 <= low <= high <= 1.0


def test_bad_input_is_refused() -> None:
    sequence = ConfidenceSequence()
    for rewards, weights in (([1.5], [1.0]), ([np.nan], [1.0]), ([0.5], [-1.0]), ([0.5], [np.inf]), ([0.5], [1, 1])):
        with pytest.raises(ValueError, match="must"):
            sequence.extend(np.array(rewards), np.array(weights))
    assert sequence.count == 0
    with pytest.raises(ValueError, match="alpha"):
        ConfidenceSequence(alpha=0.0)
    with pytest.raises(ValueError, match="must lie"):
        Difference().update(-0.1, live=True)
