"""A bounded memory of outcomes, from which beliefs are formed anew from time to time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from router_models.policy import Arrays, Vector


class Memory:
    """The last ``limit`` outcomes, oldest overwritten first: features (N, d), and of each its arm's index, its
    reward and its weight. Features are kept in half precision, 128 bytes an outcome at d = 64.
    """

    def __init__(self, *, dimensions: int, limit: int) -> None:
        self.limit = limit
        self.seen = 0
        self.features = np.zeros((0, dimensions), dtype=np.float16)
        self.arms = np.zeros(0, dtype=np.int16)
        self.rewards = np.zeros(0)
        self.weights = np.zeros(0)

    def append(self, arm: int, features: npt.NDArray[np.float32], reward: float, weight: float) -> None:
        """Take one outcome in."""
        slot = self.seen % self.limit
        if slot == len(self.arms):
            self._grow(min(max(2 * slot, 64), self.limit))
        self.features[slot], self.arms[slot] = features, arm
        self.rewards[slot], self.weights[slot] = reward, weight
        self.seen += 1

    def _grow(self, size: int) -> None:
        more = size - len(self.arms)
        self.features = np.concatenate([self.features, np.zeros((more, self.features.shape[1]), dtype=np.float16)])
        self.arms = np.concatenate([self.arms, np.full(more, -1, dtype=np.int16)])
        self.rewards = np.concatenate([self.rewards, np.zeros(more)])
        self.weights = np.concatenate([self.weights, np.zeros(more)])

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

    def amend(self, arm: int, features: npt.NDArray[np.float32], previous: float, reward: float) -> None:
        """Replace the reward of the outcome that said ``previous``, where it is still remembered."""
        same = (self.arms == arm) & (np.abs(self.rewards - previous) < 1e-9)
        slots = np.flatnonzero(same)
        slots = slots[(self.features[slots] == features.astype(np.float16)).all(axis=1)]
        if len(slots):
            self.rewards[slots[-1]] = reward

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {
            "memory_features": self.features.copy(),
            "memory_arms": self.arms.copy(),
            "memory_outcomes": np.stack([self.rewards, self.weights]),
            "memory_seen": np.array(self.seen),
        }

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms. Raises ``ValueError`` on anything unusable."""
        features, indices = np.array(arrays["memory_features"], dtype=np.float16), np.array(arrays["memory_arms"])
        outcomes: Vector = np.array(arrays["memory_outcomes"], dtype=np.float64)
        seen = int(arrays["memory_seen"])
        size = len(features)
        if features.shape != (size, self.features.shape[1]) or indices.shape != (size,) or outcomes.shape != (2, size):
            raise ValueError("the memory's arrays do not fit each other")
        if not (np.isfinite(features).all() and np.isfinite(outcomes).all()) or not min(seen, self.limit) <= size:
            raise ValueError("the memory must be finite and complete")
        if size > self.limit or not np.isin(indices, np.arange(-1, arms)).all() or outcomes.min(initial=0.0) < 0:
            raise ValueError("the memory's outcomes are out of range")
        self.features, self.arms, self.seen = features, indices.astype(np.int16), seen
        self.rewards, self.weights = outcomes[0].copy(), outcomes[1].copy()
