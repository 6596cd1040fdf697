"""Every estimator on every log, beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Final

import numpy as np

from gateway.bench.offpolicy.traffic import simulated
from gateway.bench.offpolicy.world import world
from router_models.evaluation import (
    ConfidenceSequence,
    Decisions,
    Estimate,
    Interval,
    clipped_ips,
    cross_fitted,
    direct_method,
    doubly_robust,
    fitted,
    ips,
    recommended,
    shrunk_dr,
    snips,
    switch_dr,
)
from router_models.evaluation.decisions import Matrix
from router_models.evaluation.rewards import Fitted

RECOMMENDED: Final = "recommended"
ESTIMATORS: Final = ("ips", "clipped_ips", "snips", "direct_method", "doubly_robust", "switch_dr", "shrunk_dr")

RESOLUTION: Final = 200
"""Of the confidence sequences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One log asked about one target: the ``truth``, every estimate by its estimator's name, and what else is told.

    ``sequence`` is the confidence sequence's last interval, which holds the truth if and only if all before it did.
    """

    log: int
    arms: int
    rewards: str
    target: str
    truth: float
    estimates: dict[str, Estimate]
    sequence: Interval

    def error(self, estimator: str) -> float:
        """Of the estimate."""
        return self.estimates[estimator].value - self.truth

    def covered(self, estimator: str) -> bool:
        """Whether the interval holds the truth."""
        found = self.estimates[estimator]
        return found.low <= self.truth <= found.high

    @property
    def ever_excluded(self) -> bool:
        """Whether the confidence sequence ever excluded the truth."""
        low, high = self.sequence
        return not low <= self.truth <= high


def study(number: int, *, seed: int, decisions: int) -> list[Question]:
    """The ``number``-th log, asked about every target."""
    rng = np.random.default_rng([seed, number])
    made = world(number, rng)
    log, targets, truths = simulated(made, rng, decisions=decisions)
    predicted, model = cross_fitted(log), fitted(log)
    return [
        Question(
            log=number,
            arms=len(made.arms),
            rewards=made.rewards,
            target=name,
            truth=truths[name],
            estimates=_estimates(log.with_target(target), predicted, model),
            sequence=_sequence(log.with_target(target)),
        )
        for name, target in targets.items()
    ]


def every(logs: int, *, seed: int, decisions: int, jobs: int, tell: Callable[[], None]) -> list[Question]:
    """All logs' questions, in order; ``tell`` is called after each log. A log's seed does not depend on ``jobs``."""
    one = partial(study, seed=seed, decisions=decisions)
    if jobs == 1:
        return [question for number in range(logs) for question in _told(one(number), tell)]
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        return [question for found in pool.map(one, range(logs)) for question in _told(found, tell)]


def _told(found: list[Question], tell: Callable[[], None]) -> list[Question]:
    tell()
    return found


def _estimates(decisions: Decisions, predicted: Matrix, model: Fitted) -> dict[str, Estimate]:
    estimators: tuple[Callable[[Decisions], Estimate], ...] = (
        ips,
        clipped_ips,
        snips,
        partial(direct_method, model=model),
        partial(doubly_robust, predicted=predicted),
        partial(switch_dr, predicted=predicted),
        partial(shrunk_dr, predicted=predicted),
        recommended,
    )
    names = (*ESTIMATORS, RECOMMENDED)
    return {name: estimator(decisions) for name, estimator in zip(names, estimators, strict=True)}


def _sequence(decisions: Decisions) -> Interval:
    sequence = ConfidenceSequence(resolution=RESOLUTION)
    return sequence.extend(decisions.rewards, decisions.weights)
