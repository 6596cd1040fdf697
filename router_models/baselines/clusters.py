"""Online k-means with the mean reward of each arm in each cluster."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from router_models.baselines.estimator import Predict
from router_models.checks import restored
from router_models.policy import Arrays, Observation, Vector


class Clusters:
    """Sequential k-means (MacQueen 1967): the first requests found the ``centres`` (M, d), later ones move them.

    ``weight`` and ``total`` (K, M) are of the rewards in each cluster, on top of ``PSEUDO`` rewards of zero.
    """

    PSEUDO = 1.0

    def __init__(self, *, dimensions: int, clusters: int) -> None:
        self.centres = np.zeros((clusters, dimensions))
        self.counts = np.zeros(clusters)
        self.weight = np.zeros((0, clusters))
        self.total = np.zeros((0, clusters))

    def insert(self, arm: int) -> None:
        """Put an arm that knows nothing at index ``arm``."""
        self.weight = np.insert(self.weight, arm, 0.0, axis=0)
        self.total = np.insert(self.total, arm, 0.0, axis=0)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.weight = np.delete(self.weight, arm, axis=0)
        self.total = np.delete(self.total, arm, axis=0)

    def learn(self, arm: int, observation: Observation, reward: float) -> None:
        """Fold one outcome in."""
        if observation.previous is None:
            self.absorb(observation.features)
            self.weight[arm, nearest(self.centres, self.counts, observation.features)] += observation.weight
        self.total[arm, nearest(self.centres, self.counts, observation.features)] += observation.weight * reward

    def absorb(self, x: npt.NDArray[np.float32]) -> None:
        """Take a request (d,) in."""
        empty = np.flatnonzero(self.counts == 0)
        cluster = int(empty[0]) if len(empty) else nearest(self.centres, self.counts, x)
        self.counts[cluster] += 1.0
        self.centres[cluster] += (x - self.centres[cluster]) / self.counts[cluster]

    def predictor(self) -> Predict:
        """The nearest cluster's means, and their deviations for outcomes of unit variance."""
        centres, counts = self.centres.copy(), self.counts.copy()
        weight = self.weight + self.PSEUDO
        means, deviations = self.total / weight, 1.0 / np.sqrt(weight)

        def predict(features: npt.NDArray[np.float32]) -> tuple[Vector, Vector]:
            cluster = nearest(centres, counts, features)
            return means[:, cluster], deviations[:, cluster]

        return predict

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {
            "weight": self.weight.copy(),
            "total": self.total.copy(),
            "centres": self.centres.copy(),
            "counts": self.counts.copy(),
        }

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave."""
        clusters, dimensions = self.centres.shape
        self.weight = restored(arrays, "weight", (arms, clusters))
        self.total = restored(arrays, "total", (arms, clusters))
        self.centres = restored(arrays, "centres", (clusters, dimensions))
        self.counts = restored(arrays, "counts", (clusters,))
        if min(self.counts.min(initial=0.0), self.weight.min(initial=0.0)) < 0:
            raise ValueError("counts are out of range")


def nearest(centres: Vector, counts: Vector, features: npt.NDArray[np.float32]) -> int:
    """The index of the nearest centre that has requests, 0 while none has."""
    squares = np.square(centres - features).sum(axis=1)
    return int(np.where(counts > 0, squares, np.inf).argmin())
