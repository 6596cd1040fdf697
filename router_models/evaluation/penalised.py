"""The recommended estimator: a reward model with a penalised spline of the importance weight.

Zheng and Little (2003) and Little and An (2004) put a penalised spline of the inclusion probability into the outcome
model: where heavy weights are well observed it corrects the model, as doubly robust estimators do; where they are
not, it shrinks towards the model, as weight smoothing does (Elliott and Little 2000), and says how unsure it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from router_models.evaluation.decisions import Decisions, Estimate, Matrix, NotComparable, estimate
from router_models.evaluation.rewards import DRIFT, GROUPS, PREFERENCE, Fitted, Model, basis, preference

KNOTS: Final = 2.0 ** np.arange(0, 12)
"""Weights beyond which the model may have drifted further."""

SLACK: Final = 0.1
"""Least deviation of the drift at each doubling of the weight, in units of the rewards' scale."""

TREND: Final = 0.03
"""Least deviation of the reward's trend with what the logging policy preferred, in the same units."""

LEAST: Final = 30
"""Decisions that it takes."""


def drift(ratios: Matrix) -> Matrix:
    """Steps (n, K, knots) at weights 1, 2, 4, ... and, for those below 1/2 and 1/4, two downward."""
    upward = ratios[:, :, None] >= KNOTS
    downward = ratios[:, :, None] < np.array([0.5, 0.25])
    return np.concatenate([upward, downward], axis=2).astype(np.float64)


def penalised(decisions: Decisions) -> Estimate:
    """The recommended estimate. Raises :class:`NotComparable` below ``LEAST`` decisions.

    The drift along the weight is a random walk whose steps are penalised by the evidence, but never to less than
    ``SLACK`` of the rewards' scale, the geometric mean of their deviation and of the largest there could be, 1/2: so
    the interval grows with the target's mass on what the log hardly tried.
    """
    value, error = _fitted(decisions, [decisions.target]).value(decisions.target)
    return estimate(decisions, value=float(np.clip(value, 0.0, 1.0)), error=error)


def contrast(decisions: Decisions, other: Matrix) -> tuple[float, float]:
    """The target's value less that of another policy, ``other`` (n, K), and its standard error.

    The model may drift along the weights of both. Raises :class:`NotComparable` below ``LEAST`` decisions.
    """
    return _fitted(decisions, [decisions.target, other]).value(decisions.target - other)


def _fitted(decisions: Decisions, targets: Sequence[Matrix]) -> Fitted:
    """The reward model that may drift along the weights of each of the targets (n, K)."""
    if len(decisions) < LEAST:
        raise NotComparable(f"an estimate takes at least {LEAST} decisions, not {len(decisions)}")
    asked = [decisions.with_target(target) for target in targets]
    scale = float(np.sqrt(0.5 * max(_spread(each) for each in asked)))
    steps = np.concatenate([drift(each.ratios) for each in asked], axis=2)
    floors = np.zeros(GROUPS)
    floors[DRIFT] = SLACK * scale
    floors[PREFERENCE] = TREND * scale
    model = Model(
        basis=basis(decisions.contexts),
        varying=np.concatenate([preference(decisions.propensities)[:, :, None], steps], axis=2),
        groups=np.array([PREFERENCE, *[DRIFT] * steps.shape[2]]),
        floors=floors,
    )
    return model.fit(decisions, np.arange(len(decisions)))


def _spread(decisions: Decisions) -> float:
    """The rewards' deviation, in the log or as the target would weight it, whichever is larger."""
    rewards, weights = decisions.rewards, decisions.weights
    if not weights.sum() > 0.0:
        return float(rewards.std())
    average = weights @ rewards / weights.sum()
    return max(float(rewards.std()), float(np.sqrt(weights @ (rewards - average) ** 2 / weights.sum())))
