"""The budget: a price on money, moved by dual ascent so that the mean cost of a request meets its budget."""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Vector

RATE: Final = 0.02
HIGHEST: Final = 20.0
RECENT: Final = 200.0
"""An arm's cost is the mean of about its last 200."""


class Pacer:
    """Books spending against ``budget`` USD a request, or ``None`` for none (primal-dual pacing, Balseiro 2019).

    ``price`` is what spending one budget costs, in units of reward. Costs (2, K) are each arm's count and mean.
    """

    def __init__(self, *, budget: float | None) -> None:
        self.budget = budget
        self.price = 0.0
        self.costs = np.zeros((2, 0))

    def insert(self, arm: int) -> None:
        """Put an arm of unknown cost at index ``arm``."""
        self.costs = np.insert(self.costs, arm, 0.0, axis=1)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.costs = np.delete(self.costs, arm, axis=1)

    def paid(self, arm: int, usd: float) -> None:
        """Book one request's cost."""
        self.costs[0, arm] = min(self.costs[0, arm] + 1.0, RECENT)
        self.costs[1, arm] += (usd - self.costs[1, arm]) / self.costs[0, arm]
        if self.budget is not None:
            self.price = min(max(self.price + RATE * (usd / self.budget - 1.0), 0.0), HIGHEST)

    def per_dollar(self) -> float:
        """The price of one USD, in units of reward."""
        return 0.0 if self.budget is None else self.price / self.budget

    def expected(self) -> Vector:
        """Each arm's expected cost (K,) in USD; an arm never paid costs what the others cost on average."""
        counts, means = self.costs
        known = counts > 0
        return np.where(known, means, means[known].mean() if known.any() else 0.0)
