from __future__ import annotations

import numpy as np
import pytest

from router_models.share import ShareCap


def choices(cap: float | None, advantage: float, steps: int = 3000) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of two arms a greedy chooser takes whose first arm is better by ``advantage`` give or take a little."""
    share = ShareCap(cap=cap)
    for _ in range(2):
        share.insert(0)
    taken = np.zeros(steps, dtype=bool)
    noise = np.random.default_rng(0).normal(scale=0.1, size=steps)
    for step in range(steps):
        prices = share.prices()
        taken[step] = advantage + noise[step] - prices[0] > -prices[1]
        share.chose(0 if taken[step] else 1)
    return taken


@pytest.mark.parametrize("cap", [0.5, 0.6, 0.8])
@pytest.mark.parametrize("advantage", [0.05, 0.3, 0.9])
def test_no_window_of_500_holds_more_than_the_cap_and_a_little(cap: float, advantage: float) -> None:
    counts = np.convolve(choices(cap, advantage), np.ones(500), mode="valid")
    assert counts.max() <= (cap + 0.03) * 500


def test_the_cap_is_used_up_where_an_arm_is_worth_it() -> None:
    assert choices(0.6, 0.3).mean() == pytest.approx(0.6, abs=0.02)


def test_without_a_cap_and_below_it_nothing_costs_anything() -> None:
    assert choices(None, 0.3).mean() > 0.99
    share = ShareCap(cap=0.6)
    for _ in range(3):
        share.insert(0)
    for step in range(300):
        share.chose(step % 3)
    assert share.prices().max() < 0.03


def test_an_arm_without_alternative_is_forgiven_soon() -> None:
    share = ShareCap(cap=0.5)
    for _ in range(2):
        share.insert(0)
    for _ in range(1000):
        share.chose(0)
    for _ in range(40):
        share.chose(1)
    assert share.prices()[0] == 0.0
    share.remove(0)
    assert share.prices().shape == (1,)
