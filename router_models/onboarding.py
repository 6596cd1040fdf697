"""Onboarding: an arm that joins others who are known already is tried a bounded number of times, at a known rate.

Its prior alone may keep it waiting for long where the others' levels are well known and it seems no better.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Mask, Vector

TRIALS: Final = 20.0
"""Choices that a newcomer is given."""

RATE: Final = 0.25
"""Part of the requests that newcomers get together meanwhile."""

EXPERIENCE: Final = 64
"""Outcomes from which on others count as known."""


class Onboarding:
    """Counts each arm's ``trials`` (K,) that are left."""

    def __init__(self) -> None:
        self.trials = np.zeros(0)

    def insert(self, arm: int, *, seen: int) -> None:
        """Put an arm at index ``arm``, after ``seen`` outcomes."""
        self.trials = np.insert(self.trials, arm, TRIALS if seen >= EXPERIENCE else 0.0)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.trials = np.delete(self.trials, arm)

    def chose(self, arm: int) -> None:
        """Count one choice."""
        if self.trials[arm]:
            self.trials[arm] -= 1.0

    def newcomers(self) -> Mask:
        """The arms (K,) with trials left."""
        return self.trials > 0


def with_trials(probabilities: Vector, newcomers: Mask) -> Vector:
    """Give ``newcomers`` (..., K) their rate of the probability mass, evenly; ``probabilities`` (..., K)."""
    count = np.add.reduce(newcomers, axis=-1, keepdims=True)
    rate = np.where(count > 0, RATE, 0.0)
    mixed: Vector = (1.0 - rate) * probabilities + newcomers * (rate / np.maximum(count, 1))
    return mixed
