"""A candidate is promoted only where the log shows that it is hardly worse."""

from __future__ import annotations

import numpy as np
import pytest

from router_models.evaluation import NotComparable
from router_models.evaluation.penalised import contrast
from router_models.gate import compare
from tests.router_models.evaluation.problems import Problem, problem

MARGIN = 0.02


def asked(seed: int, *, better: float) -> Problem:
    """A target that plays each request's best arm more often than the log did, or less."""
    made = problem(seed, requests=6, arms=3, floor=0.2)
    best = made.means.argmax(axis=1) if better > 0 else made.means.argmin(axis=1)
    target = (1.0 - abs(better)) * made.logging + abs(better) * np.eye(3)[best]
    return Problem(means=made.means, logging=made.logging, target=target)


def value(policy: np.ndarray, made: Problem) -> float:
    return float((policy * made.means).sum(axis=1).mean())


@pytest.mark.parametrize(("better", "verdict"), [(0.5, "promote"), (-0.5, "refuse")])
def test_what_is_better_goes_live_and_what_is_worse_does_not(better: float, verdict: str) -> None:
    for seed in range(5):
        made = asked(seed, better=better)
        log = made.log(np.random.default_rng(seed), size=2000)
        found = compare(log, live=log.propensities, margin=MARGIN)
        truth = made.value - value(made.logging, made)
        assert found.verdict == verdict
        assert found.low - 0.02 < truth < found.high + 0.02
        assert found.decisions == 2000
        assert 100 < found.effective_sample_size <= 2000


def test_the_interval_holds_the_truth() -> None:
    covered, narrower = 0, 0
    for seed in range(60):
        made = asked(seed, better=0.2)
        log = made.log(np.random.default_rng([seed, 1]), size=600)
        gap, error = contrast(log, log.propensities)
        covered += abs(gap - made.value + value(made.logging, made)) < 1.96 * error
        narrower += error < 0.02
    assert covered >= 52
    assert narrower >= 50


def test_a_candidate_that_chooses_alike_is_promoted_with_certainty() -> None:
    made = asked(0, better=0.3)
    log = made.log(np.random.default_rng(0), size=300)
    found = compare(log, live=log.target, margin=0.0)
    assert found.verdict == "promote"
    assert found.value == pytest.approx(0.0)
    assert found.high - found.low < 1e-6


def test_few_decisions_decide_nothing() -> None:
    made = asked(0, better=-0.9)
    log = made.log(np.random.default_rng(0), size=100)
    assert compare(log, live=log.propensities, margin=MARGIN).verdict == "undecided"
    with pytest.raises(NotComparable):
        compare(made.log(np.random.default_rng(0), size=10), live=log.propensities[:10], margin=MARGIN)
