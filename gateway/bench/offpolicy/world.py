"""Requests, arms and rewards, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from router_models.evaluation.decisions import Indices, Matrix

ARMS: Final = (3, 6, 12, 20)
REWARDS: Final = ("binary", "continuous", "nearly deterministic")

REQUESTS, DIRECTIONS, TOPICS = 1000, 10, 6
CONCENTRATION: Final = 8.0
"""Of continuous rewards: Beta distributions worth so many binary ones."""


@dataclass(frozen=True, kw_only=True)
class World:
    """R different requests with ``features`` (R, d), and the mean reward (R, K) of every arm at each.

    A mean reward depends on how easy the request is for all, on its direction, and on its topic, none of it linearly.
    """

    features: npt.NDArray[np.float32]
    means: Matrix
    rewards: str

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms' names."""
        return tuple(f"arm-{arm:02}" for arm in range(self.means.shape[1]))

    def reward(self, request: int, arm: int, rng: np.random.Generator) -> float:
        """One outcome in [0, 1]."""
        mean = self.means[request, arm]
        if self.rewards == "continuous":
            return float(rng.beta(CONCENTRATION * mean, CONCENTRATION * (1.0 - mean)))
        return float(rng.random() < mean)

    def value(self, policy: Matrix) -> float:
        """What a policy, probabilities (R, K), earns on average."""
        return float((policy * self.means).sum(axis=1).mean())


def world(number: int, rng: np.random.Generator) -> World:
    """The ``number``-th world: how many arms and which rewards go around, everything else is random."""
    arms, rewards = ARMS[number % len(ARMS)], REWARDS[number // len(ARMS) % len(REWARDS)]
    topic: Indices = rng.integers(TOPICS, size=REQUESTS)
    points = rng.normal(size=(REQUESTS, DIRECTIONS)) + 1.5 * rng.normal(size=(TOPICS, DIRECTIONS))[topic]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    level = rng.normal(0.3, 0.7, arms) + 1.2 * (points @ rng.normal(size=DIRECTIONS))[:, None]
    skill = points @ rng.normal(size=(DIRECTIONS, arms)) + 0.7 * rng.normal(size=(TOPICS, arms))[topic]
    sharpness = 4.0 if rewards == "nearly deterministic" else 1.0
    means = 1.0 / (1.0 + np.exp(-sharpness * (level + skill)))
    features = np.concatenate([np.ones((REQUESTS, 1)), points], axis=1).astype(np.float32)
    return World(features=features, means=np.clip(means, 1e-3, 1.0 - 1e-3), rewards=rewards)
