"""What a log must be, and which of its decisions count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from router_models.evaluation import Decisions, NotComparable, ips
from tests.router_models.evaluation.problems import problem

GOOD: dict[str, Any] = {
    "contexts": np.zeros((3, 1)),
    "propensities": np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0], [0.1, 0.6, 0.3]]),
    "chosen": np.array([0, 1, 2]),
    "rewards": np.array([0.0, 1.0, 0.5]),
    "target": np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]),
}


def test_weights_are_ratios_and_zero_where_nothing_could_be_drawn() -> None:
    log = Decisions(**GOOD)
    assert log.weights == pytest.approx([2.0, 0.625, 3.0])
    assert log.ratios[0] == pytest.approx([2.0, 0.0, 0.0])
    assert (len(log), log.arms) == (3, 3)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("rewards", np.array([0.0, 1.5, 0.5]), "rewards must lie"),
        ("rewards", np.array([0.0, np.nan, 0.5]), "rewards must lie"),
        ("rewards", np.zeros(0), "need one shape"),
        ("rewards", np.zeros(2), "need one shape"),
        ("contexts", np.full((3, 1), np.inf), "contexts must be finite"),
        ("contexts", np.zeros((2, 1)), "must all have n = 3 rows"),
        ("chosen", np.array([0, 1, 3]), "arms' indices"),
        ("chosen", np.array([0.0, 1.0, 2.0]), "arms' indices"),
        ("chosen", np.array([2, 1, 2]), "no probability"),
        ("propensities", np.full((3, 3), 0.5), "distribution"),
        ("propensities", np.full((3, 2), 0.5), "need one shape"),
        ("target", np.array([[1.2, -0.2, 0.0]] * 3), "distribution"),
        ("target", np.full((3, 3), np.nan), "distribution"),
        ("target", np.full((3, 3), 1 / 3), "no overlap"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_words(field: str, value: object, complaint: str) -> None:
    with pytest.raises(NotComparable, match=complaint):
        Decisions(**{**GOOD, field: value})


def test_forced_decisions_and_fallbacks_never_count() -> None:
    log = problem(1, requests=3, arms=3).log(np.random.default_rng(1), size=200)
    forced, fallback = np.arange(200) % 5 == 0, np.arange(200) % 7 == 0
    rewards = np.where(forced | fallback, 1.0, log.rewards)  # what must not be seen
    answered = np.where(fallback, (log.chosen + 1) % 3, log.chosen)
    kept = Decisions.drawn(
        contexts=log.contexts,
        propensities=log.propensities,
        chosen=log.chosen,
        answered=answered,
        forced=forced,
        rewards=rewards,
        target=log.target,
    )
    rest = ~forced & ~fallback
    assert len(kept) == rest.sum()
    assert ips(kept).value == pytest.approx(float((log.weights * log.rewards)[rest].mean()))
