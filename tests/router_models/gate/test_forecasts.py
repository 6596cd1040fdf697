"""Whoever predicts worse is flagged soon, and whoever predicts no worse hardly ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_models.gate import Forecasts

NEVER = 10**9


def flagged_after(seed: int, *, tried: float, trusted: float, truth: float, outcomes: int = 600) -> int:
    """How many outcomes it takes where both say about the same of every request."""
    rng, forecasts = np.random.default_rng(seed), Forecasts(alpha=0.025)
    for place in range(outcomes):
        taste = float(rng.normal(0.0, 0.05))
        reward = float(rng.random() < truth)
        if forecasts.update(reward, tried=tried + taste, trusted=trusted + taste):
            return place + 1
    return NEVER


def test_who_takes_a_model_for_another_is_flagged_soon() -> None:
    assert max(flagged_after(seed, tried=0.8, trusted=0.4, truth=0.4) for seed in range(50)) < 200


@pytest.mark.parametrize(
    ("tried", "trusted"), [(0.4, 0.8), (0.5, 0.7)], ids=["who is right", "who is as far from the truth"]
)
def test_who_predicts_no_worse_is_hardly_ever_flagged(tried: float, trusted: float) -> None:
    truth = 0.4 if tried == 0.4 else 0.6
    flagged = sum(flagged_after(seed, tried=tried, trusted=trusted, truth=truth) < NEVER for seed in range(200))
    assert flagged <= 12  # 5 at most on average; more than 12 once in 500 times


outcomes = st.tuples(st.floats(0, 1), st.floats(-1, 2), st.floats(0, 1))


@given(st.lists(outcomes, max_size=50))
def test_who_says_the_same_is_neither_better_nor_worse(told: list[tuple[float, float, float]]) -> None:
    forecasts = Forecasts()
    for reward, said, weight in told:
        assert not forecasts.update(reward, tried=said, trusted=said, weight=weight)
    assert forecasts.evidence == 0.0


@given(st.lists(outcomes, max_size=50), st.lists(st.floats(-1, 2), min_size=50, max_size=50))
def test_capital_is_never_lost_for_good(told: list[tuple[float, float, float]], others: list[float]) -> None:
    """No single outcome takes more than three quarters of it."""
    forecasts, before = Forecasts(), 0.0
    for (reward, tried, weight), trusted in zip(told, others, strict=False):
        forecasts.update(reward, tried=tried, trusted=trusted, weight=weight)
        assert forecasts.evidence >= before + np.log(0.25) - 1e-9
        before = forecasts.evidence


def test_an_outcome_without_weight_proves_nothing() -> None:
    forecasts = Forecasts()
    forecasts.update(1.0, tried=0.1, trusted=0.9, weight=0.0)
    assert forecasts.evidence == 0.0


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        Forecasts(alpha=1.0)
    for reward, tried, weight in ((1.5, 0.5, 1.0), (0.5, float("nan"), 1.0), (0.5, 0.5, -1.0)):
        with pytest.raises(ValueError, match="lie in"):
            Forecasts().update(reward, tried=tried, trusted=0.5, weight=weight)
