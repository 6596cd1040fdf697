"""Small problems whose every outcome can be enumerated, and logs drawn from them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from router_models.evaluation import Decisions
from router_models.evaluation.decisions import Matrix


@dataclass(frozen=True, kw_only=True)
class Problem:
    """R requests, equally likely, and K arms: mean rewards, logging and target probabilities, all (R, K)."""

    means: Matrix
    logging: Matrix
    target: Matrix

    @property
    def value(self) -> float:
        return float((self.target * self.means).sum(axis=1).mean())

    @property
    def features(self) -> Matrix:
        """One-hot."""
        return np.eye(len(self.means))

    def log(self, rng: np.random.Generator, *, size: int, binary: bool = True) -> Decisions:
        requests = rng.integers(len(self.means), size=size)
        chances = np.cumsum(self.logging[requests], axis=1)
        chosen = np.minimum((chances < rng.random(size)[:, None]).sum(axis=1), self.means.shape[1] - 1)
        means = self.means[requests, chosen]
        return self.decisions(requests, chosen, (rng.random(size) < means) * 1.0 if binary else means)

    def decisions(self, requests: np.ndarray, chosen: np.ndarray, rewards: np.ndarray) -> Decisions:
        return Decisions(
            contexts=self.features[requests],
            propensities=self.logging[requests],
            chosen=chosen,
            rewards=rewards,
            target=self.target[requests],
        )

    def every_log(self) -> list[tuple[float, Decisions]]:
        """Every log of two decisions with binary rewards, each with its probability."""
        requests, arms = self.means.shape
        logs = []
        one = list(itertools.product(range(requests), range(arms), (0.0, 1.0)))
        for two in itertools.product(one, repeat=2):
            chance = 1.0
            for request, arm, reward in two:
                mean = self.means[request, arm]
                chance *= self.logging[request, arm] * (mean if reward else 1.0 - mean) / requests
            columns = [np.array(column) for column in zip(*two, strict=True)]
            logs.append((chance, self.decisions(*columns)))
        return logs


def problem(seed: int, *, requests: int = 2, arms: int = 2, floor: float = 0.1) -> Problem:
    rng = np.random.default_rng(seed)
    drawn = rng.dirichlet(np.ones(arms), size=(2, requests))
    return Problem(
        means=rng.uniform(0.05, 0.95, size=(requests, arms)),
        logging=(1.0 - floor) * drawn[0] + floor / arms,
        target=drawn[1],
    )
