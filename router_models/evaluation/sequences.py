"""Confidence sequences: intervals that hold at every moment at once, however often one looks and whenever one stops.

Lower bounds are won by betting against every smaller value (Waudby-Smith and Ramdas 2024), which takes outcomes that
are bounded below only; so weighted outcomes will do, however large a weight, and off-policy values have confidence
sequences without a bound on weights (Waudby-Smith et al. 2022). Upper bounds are lower bounds of what is lost.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from router_models.policy import Vector

BOLDNESS: Final = 0.5
"""Most of its capital that a bet may lose at once."""


BLOCK: Final = 4096
"""Outcomes taken at a time: bounds memory."""


class Interval(NamedTuple):
    """A running confidence interval."""

    low: float
    high: float


class ConfidenceSequence:
    """Of a mean in [0, 1]: with probability at least ``1 - alpha`` it is within the interval at all times.

    Rewards lie in [0, 1]; with importance weights, whose mean given the past is one, it is the target policy's value.
    The value must not change meanwhile; everything else may, and may depend on the past. ``resolution`` is the number
    of values bet against; bounds are multiples of its inverse.
    """

    def __init__(self, *, alpha: float = 0.05, resolution: int = 500) -> None:
        if not 0.0 < alpha < 1.0 or resolution < 2:
            raise ValueError("alpha is a probability in (0, 1), resolution at least 2")
        self._alpha = alpha
        self._values = np.arange(resolution + 1) / resolution
        self._gain = _Bettor(values=self._values, alpha=alpha / 2.0)
        self._loss = _Bettor(values=self._values, alpha=alpha / 2.0)

    @property
    def count(self) -> int:
        """Outcomes so far."""
        return self._gain.count

    @property
    def interval(self) -> Interval:
        """The interval now. Where the bounds cross, the value cannot have been constant: both are their middle."""
        low, high = self._gain.bound, 1.0 - self._loss.bound
        return Interval(low, high) if low <= high else Interval((low + high) / 2.0, (low + high) / 2.0)

    def update(self, reward: float, *, weight: float = 1.0) -> Interval:
        """Take one outcome. Raises ``ValueError`` where it is out of range."""
        return self.extend(np.array([reward]), np.array([weight]))

    def extend(self, rewards: Vector, weights: Vector | None = None) -> Interval:
        """Take outcomes (t,) with ``weights`` (t,), in order; the interval after the last."""
        weights = np.ones(len(rewards)) if weights is None else weights
        if rewards.shape != weights.shape or not ((rewards >= 0.0) & (rewards <= 1.0)).all():
            raise ValueError("rewards must lie in [0, 1], with one weight each")
        if not (np.isfinite(weights) & (weights >= 0.0)).all():
            raise ValueError("weights must be finite and not negative")
        for start in range(0, len(rewards), BLOCK):
            block = slice(start, start + BLOCK)
            self._gain.extend(weights[block] * rewards[block])
            self._loss.extend(weights[block] * (1.0 - rewards[block]))
        return self.interval


class _Bettor:
    """Bets on each outcome being more than ``values`` (V,): rejects a value once its capital has reached 1 / alpha."""

    def __init__(self, *, values: Vector, alpha: float) -> None:
        self._values = values
        self._enough = -np.log(alpha)
        self._capital = np.zeros(len(values))
        self._most = np.zeros(len(values))
        self.count, self._sum, self._squares = 0, 0.5, 0.25

    def extend(self, outcomes: Vector) -> None:
        """Take outcomes (t,), which are not negative; each bet is sized by the outcomes before it."""
        times = self.count + np.arange(1, len(outcomes) + 1)
        sums = self._sum + np.concatenate([[0.0], np.cumsum(outcomes)])
        means = sums / (self.count + 1 + np.arange(len(outcomes) + 1))
        squares = self._squares + np.concatenate([[0.0], np.cumsum((outcomes - means[:-1]) ** 2)])
        variances = squares[:-1] / times
        sizes = np.sqrt(2.0 * self._enough / (variances * times * np.log1p(times)))
        bets = np.minimum(sizes[:, None], BOLDNESS / np.maximum(self._values, 1e-12))
        path = self._capital + np.cumsum(np.log1p(bets * (outcomes[:, None] - self._values)), axis=0)
        self._capital = path[-1]
        self._most = np.maximum(self._most, path.max(axis=0))
        self.count, self._sum, self._squares = self.count + len(outcomes), float(sums[-1]), float(squares[-1])

    @property
    def bound(self) -> float:
        """The largest value below which, and at which, all are rejected; zero when none is."""
        kept = np.flatnonzero(self._most < self._enough)
        first = int(kept[0]) if len(kept) else len(self._values) - 1
        return float(self._values[max(first - 1, 0)])


class Difference:
    """Of two streams' means, ``live - control``, in [-1, 1], from outcomes in the order in which they come.

    Outcomes are compared with those of the same stretch of time: a pair closes once both streams have had an outcome
    since the last one, and compares the means of that stretch. So a bad day that befalls both streams alike
    does not count against either, as long as each request's stream is drawn without regard to its outcome.
    """

    def __init__(self, *, alpha: float = 0.05, resolution: int = 500) -> None:
        self._sequence = ConfidenceSequence(alpha=alpha, resolution=resolution)
        self._waiting: tuple[list[float], list[float]] = ([], [])

    @property
    def pairs(self) -> int:
        """Stretches compared so far."""
        return self._sequence.count

    @property
    def interval(self) -> Interval:
        """The interval now: below zero throughout, the live stream is worse."""
        low, high = self._sequence.interval
        return Interval(2.0 * low - 1.0, 2.0 * high - 1.0)

    def update(self, reward: float, *, live: bool) -> Interval:
        """Take one outcome of the live or of the control stream. Raises ``ValueError`` unless it is in [0, 1]."""
        if not 0.0 <= reward <= 1.0:
            raise ValueError("rewards must lie in [0, 1]")
        self._waiting[0 if live else 1].append(reward)
        ours, theirs = self._waiting
        if ours and theirs:
            self._sequence.update((sum(ours) / len(ours) - sum(theirs) / len(theirs) + 1.0) / 2.0)
            self._waiting = ([], [])
        return self.interval
