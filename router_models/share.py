"""The share cap: no arm gets more than its share of traffic, by a price on being over it.

Each arm has an excess: choices of it beyond the cap, as the highest of the sums over all recent stretches of
traffic (a CUSUM that never falls below zero). An excess of at most ``e`` means that *every* window of ``n``
requests holds at most ``cap * n + e`` choices of the arm. The price grows gently with the excess, which is dual
ascent on the cap and moves those requests first that lose least by it; beyond ``SLACK`` choices it grows
steeply past any difference in reward, and so ends the argument.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Vector

GENTLE: Final = 0.02
STEEP: Final = 0.2
SLACK: Final = 6.0
LIMIT: Final = 15.0


class ShareCap:
    """Books choices; ``cap`` in (0, 1] or ``None`` for no cap. The excess (K,) is in choices."""

    def __init__(self, *, cap: float | None) -> None:
        self.cap = cap
        self.excess = np.zeros(0)

    def insert(self, arm: int) -> None:
        """Put an arm at index ``arm``."""
        self.excess = np.insert(self.excess, arm, 0.0)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.excess = np.delete(self.excess, arm)

    def chose(self, arm: int) -> None:
        """Count one choice."""
        if self.cap is not None:
            self.excess[arm] += 1.0
            self.excess = np.minimum(np.maximum(self.excess - self.cap, 0.0), LIMIT)

    def prices(self) -> Vector:
        """What each arm (K,) pays now, in units of reward."""
        prices: Vector = GENTLE * self.excess + STEEP * np.maximum(self.excess - SLACK, 0.0)
        return prices
