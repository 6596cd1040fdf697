"""A bounded memory of outcomes, from which beliefs are formed anew from time to time."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from router_models.policy import TELLTALE, Arrays, Credit, Observation
from router_models.rows import Floats

Number = TypeVar("Number", bound=np.number[Any])

ALIKE: Final = 1e-6
"""Rewards that differ by less are the same; they are kept in single precision."""

FAINTEST: Final = 2.0**-10
"""Nobody is held to be less honest than this."""

FEWEST: Final = 20.0
SLIGHT: Final = 0.05
"""Outcomes are weighed anew where that changes more than this part of the weight of any arm's, which are taken for so
many at least: beliefs are not formed anew for less than one outcome.
"""


class Memory:
    """The last ``limit`` outcomes, oldest overwritten first: features (N, d), and of each its arm's index, its
    reward and its weight, who told it and how honest that source was held to be, by which it was weighed. Features are
    kept in half precision, 128 bytes an outcome at d = 64.
    """

    def __init__(self, *, dimensions: int, limit: int) -> None:
        self.limit = limit
        self.seen = 0
        self.features = np.zeros((0, dimensions), dtype=np.float16)
        self.arms = np.zeros(0, dtype=np.int16)
        self.rewards = np.zeros(0, dtype=np.float32)
        self.weights = np.zeros(0, dtype=np.float32)
        self.sources = np.zeros(0, dtype=np.int64)
        self.honesty = np.ones(0, dtype=np.float32)

    def append(self, arm: int, told: Observation) -> None:
        """Take one outcome of the arm at index ``arm`` in."""
        slot = self.seen % self.limit
        if slot == len(self.arms):
            self._grow(min(max(2 * slot, 64), self.limit))
        self.features[slot], self.arms[slot] = told.features, arm
        self.rewards[slot], self.weights[slot] = told.reward, told.weight
        self.sources[slot], self.honesty[slot] = told.source, max(told.honesty, FAINTEST)
        self.seen += 1

    def _grow(self, size: int) -> None:
        more = size - len(self.arms)
        self.features, self.arms = _longer(self.features, more), _longer(self.arms, more, spare=-1)
        self.rewards, self.weights = _longer(self.rewards, more), _longer(self.weights, more)
        self.sources, self.honesty = _longer(self.sources, more), _longer(self.honesty, more, spare=1)

    def order(self) -> npt.NDArray[np.int64]:
        """The slots in use, oldest outcome first."""
        slots = np.arange(self.seen) if self.seen <= self.limit else (self.seen + np.arange(self.limit)) % self.limit
        return slots[self.arms[slots] >= 0]

    def insert(self, arm: int) -> None:
        """Make room for an arm at index ``arm``."""
        self.arms[self.arms >= arm] += 1

    def remove(self, arm: int) -> None:
        """Forget an arm's outcomes."""
        self.arms[self.arms == arm] = -1
        self.arms[self.arms > arm] -= 1

    def fade(self, arm: int, worth: float, latest: int) -> None:
        """Let an arm's outcomes, except the ``latest`` ones, count for no more than ``worth`` in all."""
        order = self.order()
        own = order[self.arms[order] == arm]
        earlier = own[: max(len(own) - latest, 0)]
        self.weights[earlier] *= min(worth / max(float(self.weights[earlier].sum()), 1e-9), 1.0)

    def reweigh(self, credit: Credit) -> bool:
        """Weigh each outcome by how honest its source is held to be now, and tell whether that was worth it."""
        places = np.searchsorted(credit.sources, self.sources).clip(max=len(credit.sources) - 1)
        believed = np.maximum(credit.honesty[places], FAINTEST).astype(np.float32)
        honesty = np.where(credit.sources[places] == self.sources, believed, self.honesty)
        weights = self.weights * honesty / self.honesty
        arms = self.arms + 1
        changes, before = (np.bincount(arms, each)[1:] for each in (np.abs(weights - self.weights), self.weights))
        if (changes <= SLIGHT * np.maximum(before, FEWEST)).all():
            return False
        self.weights, self.honesty = weights, honesty
        return True

    def amend(self, arm: int, previous: float, told: Observation) -> float:
        """Replace the reward of the outcome that said ``previous``; what that counts, 0 if it is not remembered.

        Others may have said the same: it is one of this source's own, or where none is, one that was vouched for.
        """
        same = (self.arms == arm) & (np.abs(self.rewards - previous) < ALIKE)
        slots = np.flatnonzero(same)
        slots = slots[(self.features[slots] == told.features.astype(np.float16)).all(axis=1)]
        by = self.sources[slots]
        own = by == told.source
        slots = slots[own if own.any() else by == 0]
        if not len(slots):
            return 0.0
        self.rewards[slots[-1]] = told.reward
        return float(self.weights[slots[-1]])

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {
            "memory_features": self.features.copy(),
            "memory_arms": self.arms.copy(),
            "memory_outcomes": np.stack([self.rewards, self.weights]),
            "memory_seen": np.array(self.seen),
            "memory_sources": self.sources.copy(),
            "memory_honesty": self.honesty.copy(),
        }

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms; where it is not told who told an outcome, it was
        vouched for. Raises ``ValueError`` on anything unusable.
        """
        features, indices = np.array(arrays["memory_features"], dtype=np.float16), np.array(arrays["memory_arms"])
        outcomes: Floats = np.array(arrays["memory_outcomes"], dtype=np.float32)
        seen = int(arrays["memory_seen"])
        size = len(features)
        if features.shape != (size, self.features.shape[1]) or indices.shape != (size,) or outcomes.shape != (2, size):
            raise ValueError("the memory's arrays do not fit each other")
        if not (np.isfinite(features).all() and np.isfinite(outcomes).all()) or not 0 <= min(seen, self.limit) <= size:
            raise ValueError("the memory must be finite and complete")
        if size > self.limit or not np.isin(indices, np.arange(-1, arms)).all() or outcomes.min(initial=0.0) < 0:
            raise ValueError("the memory's outcomes are out of range")
        told = arrays if TELLTALE & arrays.keys() else _vouched(size)
        sources, honesty = np.array(told["memory_sources"]), np.array(told["memory_honesty"], dtype=np.float32)
        fit = sources.dtype.kind == "i" and sources.shape == honesty.shape == (size,)
        if not fit or not ((honesty >= FAINTEST) & (honesty <= 1.0)).all():
            raise ValueError("the memory's sources do not fit its outcomes")
        self.features, self.arms, self.seen = features, indices.astype(np.int16), seen
        self.rewards, self.weights = outcomes[0].copy(), outcomes[1].copy()
        self.sources, self.honesty = sources.astype(np.int64), honesty


def _longer(column: npt.NDArray[Number], more: int, *, spare: int = 0) -> npt.NDArray[Number]:
    """A column with so many more rows, all of them ``spare``."""
    return np.concatenate([column, np.full((more, *column.shape[1:]), spare, dtype=column.dtype)])


def _vouched(size: int) -> Arrays:
    return {"memory_sources": np.zeros(size, dtype=np.int64), "memory_honesty": np.ones(size, dtype=np.float32)}
