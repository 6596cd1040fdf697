"""Forecasts: whether one version predicts outcomes worse than another, by outcomes that neither has learned from.

Of each outcome both say beforehand what it would be, whoever's request it was. What the squared error of one exceeds
the other's by is bet on; were it no worse on average, the capital could hardly ever reach ``1 / alpha`` (Henzi and
Ziegel 2022; Choe and Ramdas 2023). The bet is the best one if the other version is right: for errors of variance ``v``
and forecasts ``gap`` apart, the excess has mean ``gap^2`` and variance ``4 v gap^2``.

A bad day of an upstream may well bear one version out rather than the other: this is a reason to doubt a version that
was doubted before, and none to take back any other.
"""

from __future__ import annotations

import math
from typing import Final

from router_models.gate.trial import BOLDNESS, COUNT, SPREAD


class Forecasts:
    """Takes outcomes in the order in which they come. ``alpha`` bounds the chance that it ever flags a version that
    predicts no worse.
    """

    def __init__(self, *, alpha: float = 0.01) -> None:
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha is in (0, 1), not {alpha}")
        self.enough: Final = -math.log(alpha)
        self._most = 0.0
        self._weight, self._squares = COUNT, COUNT * SPREAD
        self.evidence = 0.0

    @property
    def flagged(self) -> bool:
        """Whether the version has been found to predict worse."""
        return self._most >= self.enough

    def update(self, reward: float, *, tried: float, trusted: float, weight: float = 1.0) -> bool:
        """Take one outcome, what both versions said that it would be, and its ``weight`` in [0, 1]; whether the tried
        one is flagged now. Raises ``ValueError`` where a number is out of range.
        """
        if not (0.0 <= reward <= 1.0 and 0.0 <= weight <= 1.0 and math.isfinite(tried) and math.isfinite(trusted)):
            raise ValueError(f"reward and weight lie in [0, 1] and forecasts are finite, not {reward}, {weight}")
        ours, theirs = (min(max(each, 0.0), 1.0) for each in (tried, trusted))
        gap = ours - theirs
        bet = 1.0 / (4.0 * self._squares / self._weight + gap**2)
        worst = max(_excess(ours, theirs, 0.0), _excess(ours, theirs, 1.0))
        if worst > 0.0:
            bet = min(bet, BOLDNESS / worst)
        self.evidence += math.log1p(-weight * bet * _excess(ours, theirs, reward))
        self._weight += weight
        self._squares += weight * (reward - theirs) ** 2
        self._most = max(self._most, self.evidence)
        return self.flagged


def _excess(ours: float, theirs: float, reward: float) -> float:
    """By how much their squared error is above ours: what a bet on theirs loses."""
    return (reward - theirs) ** 2 - (reward - ours) ** 2
