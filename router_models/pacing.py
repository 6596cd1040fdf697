"""The budget: a price on money, solved for on recent requests, and a bank that is never overdrawn knowingly.

The price is the dual variable of "the mean cost of a request is at most the budget" (primal-dual pacing, Balseiro
and Gur 2019). Dual ascent would grope for it, badly so where costs differ by factors of hundreds; but the policy
remembers recent requests and knows what it would choose at any price, so the price can be solved for.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Vector

RECENT: Final = 50.0
"""An arm's cost is the mean of about its last 50: soon enough to see a bill change, long enough to tell it."""

HORIZON: Final = 200.0
"""Requests over which the bank's balance is meant to be spent."""

RESERVE: Final = 10.0
"""Budgets that the bank is meant to keep, so that chance alone does not close it to what it can afford."""

RICHEST: Final = 100.0
"""Budgets that the bank holds at most, so that a long thrifty time does not end in a spree."""

LEAK: Final = 1 / 2000
"""Part of the bank that lapses with every request, so that any long stretch of traffic stays within the budget."""

CAUTION: Final = 2.0
"""The bank holds so many times what a request is expected to cost beyond its budget, for some cost twice as much, and
what is overdrawn is missing afterwards."""

HIGHEST: Final = 1e3
HALVINGS: Final = 40
"""Of one budget, in units of reward; and how finely the price is solved for."""


class Pacer:
    """Books spending against ``budget`` USD a request, or ``None`` for none.

    ``price`` is what spending one budget costs, in units of reward; ``bank`` (USD) is what was left over so far;
    ``costs`` (2, K) are each arm's count and mean.
    """

    def __init__(self, *, budget: float | None) -> None:
        self.budget = budget
        self.price = 0.0
        self.bank = 0.0
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
            kept = self.bank - LEAK * max(self.bank, 0.0)
            self.bank = min(kept + self.budget - usd, RICHEST * self.budget)

    def drifted(self, arm: int, usd: float, since: int) -> None:
        """What an arm costs changed ``since`` payments ago, to ``usd`` on average: only these count."""
        self.costs[:, arm] = min(since, RECENT), usd

    def per_dollar(self) -> float:
        """The price of one USD, in units of reward."""
        return 0.0 if self.budget is None else self.price / self.budget

    def allowance(self) -> float:
        """What one request may cost at most, in USD."""
        return np.inf if self.budget is None else self.budget + max(self.bank, 0.0) / CAUTION

    def expected(self) -> Vector:
        """Each arm's expected cost (K,) in USD; an arm never paid is hoped to cost as little as any other."""
        counts, means = self.costs
        known = counts > 0
        return np.where(known, means, means[known].min() if known.any() else 0.0)

    def solve(self, scores: Vector, exploration: float) -> None:
        """Set the lowest price at which requests with these ``scores`` (n, K) would meet the budget."""
        if self.budget is None or not len(scores):
            return
        costs = self.expected() / self.budget
        explored = costs[costs <= self.allowance() / self.budget]
        explored_costs = exploration * float(explored.sum()) / max(len(explored), 1)
        target = 1.0 + (self.bank / self.budget - RESERVE) / HORIZON - explored_costs

        def spent(price: float) -> float:
            return (1.0 - exploration) * float(costs[(scores - price * costs).argmax(axis=1)].mean())

        low, high = 1e-6, HIGHEST
        if spent(0.0) <= target:
            self.price = 0.0
            return
        for _ in range(HALVINGS):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if spent(middle) > target else (low, middle)
        self.price = high
