from __future__ import annotations

import numpy as np
import pytest

from router_models.pacing import Pacer

COSTS = np.array([1e-4, 1e-3, 1e-2])


def paced(budget: float | None) -> Pacer:
    pacer = Pacer(budget=budget)
    for arm, cost in enumerate(COSTS):
        pacer.insert(arm)
        pacer.paid(arm, float(cost))
    pacer.bank = 10.0 * (budget or 0.0)
    return pacer


def scores(count: int = 500) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    random = np.random.default_rng(0)
    return np.array([0.6, 0.7, 0.75]) + random.normal(scale=0.1, size=(count, 3))


@pytest.mark.parametrize("budget", [3e-4, 1e-3, 4e-3])
def test_at_the_price_solved_for_requests_meet_the_budget(budget: float) -> None:
    pacer = paced(budget)
    pacer.solve(scores(), 0.0)
    spent = COSTS[(scores() - pacer.per_dollar() * COSTS).argmax(axis=1)].mean()
    assert spent <= budget
    assert spent == pytest.approx(budget, rel=0.05)


def test_money_is_free_where_there_is_enough_and_where_there_is_no_budget() -> None:
    rich, free = paced(1.0), paced(None)
    for pacer in (rich, free):
        pacer.solve(scores(), 0.01)
        assert pacer.per_dollar() == 0.0
    assert free.allowance() == np.inf
    assert rich.allowance() >= 1.0


def test_the_bank_keeps_what_is_left_but_not_without_end() -> None:
    pacer = paced(1e-3)
    pacer.bank = 0.0
    pacer.paid(0, 1e-4)
    assert pacer.bank == pytest.approx(9e-4)
    assert pacer.allowance() == pytest.approx(1.45e-3)
    pacer.paid(2, 1e-2)
    assert pacer.bank < 0
    assert pacer.allowance() == 1e-3
    for _ in range(10_000):
        pacer.paid(0, 0.0)
    assert pacer.bank == pytest.approx(0.1)


def test_an_arm_never_paid_is_tried_as_if_cheap() -> None:
    pacer = paced(1e-3)
    pacer.insert(0)
    assert pacer.expected() == pytest.approx([1e-4, *COSTS])
    pacer.remove(0)
    assert pacer.expected() == pytest.approx(COSTS)
    assert Pacer(budget=1e-3).expected().shape == (0,)


def test_a_bill_that_comes_back_is_noticed_within_some_fifty_answers() -> None:
    pacer = paced(1e-3)
    for cost in [0.0] * 300 + [1e-3] * 50:
        pacer.paid(1, cost)
    assert pacer.expected()[1] > 0.6e-3


def test_nothing_is_put_aside_for_trials_that_the_bank_cannot_pay() -> None:
    pacer, free = paced(1e-3), paced(1e-3)
    assert pacer.allowance() < COSTS[2]
    pacer.solve(scores()[:, :2] @ np.eye(2, 3) - [0.0, 0.0, 9.0], 0.2)
    free.remove(2)
    free.solve(scores()[:, :2], 0.2)
    assert pacer.price == pytest.approx(free.price)


def test_what_is_saved_lapses_in_time() -> None:
    pacer = paced(1e-3)
    pacer.bank = 0.08
    for _ in range(2000):
        pacer.paid(1, 1e-3)
    assert pacer.bank == pytest.approx(0.08 / np.e, rel=0.01)
