"""One ridge regression per arm, the model of LinUCB and LinTS (Li et al. 2010; Agrawal and Goyal 2013)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from router_models.baselines.estimator import Predict
from router_models.checks import restored
from router_models.policy import Arrays, Observation, Vector


class Ridge:
    """Disjoint regressions: ``inverse`` (K, d, d) of the regularised Gram matrices, ``weights`` (K, d)."""

    def __init__(self, *, dimensions: int, penalty: float) -> None:
        self.penalty = penalty
        self.inverse = np.zeros((0, dimensions, dimensions))
        self.weights = np.zeros((0, dimensions))

    def insert(self, arm: int) -> None:
        """Put an arm that knows nothing at index ``arm``."""
        self.inverse = np.insert(self.inverse, arm, np.eye(self.inverse.shape[1]) / self.penalty, axis=0)
        self.weights = np.insert(self.weights, arm, 0.0, axis=0)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.inverse = np.delete(self.inverse, arm, axis=0)
        self.weights = np.delete(self.weights, arm, axis=0)

    def learn(self, arm: int, observation: Observation, reward: float) -> None:
        """Fold one outcome in, by Sherman and Morrison's formula."""
        x = observation.features.astype(np.float64)
        spread = self.inverse[arm] @ x
        if observation.previous is not None:
            self.weights[arm] += spread * reward * observation.weight
            return
        scale = 1.0 / observation.weight + x @ spread
        self.weights[arm] += spread * ((reward - x @ self.weights[arm]) / scale)
        self.inverse[arm] -= np.outer(spread, spread / scale)

    def predictor(self) -> Predict:
        """Means and confidence widths, the latter for outcomes of unit variance."""
        inverse, weights = self.inverse.copy(), self.weights.copy()
        arms, dimensions = weights.shape

        def predict(features: npt.NDArray[np.float32]) -> tuple[Vector, Vector]:
            x = features.astype(np.float64)
            spread = (inverse.reshape(-1, dimensions) @ x).reshape(arms, dimensions)
            return weights @ x, np.sqrt(np.maximum(spread @ x, 0.0))

        return predict

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {"inverse": self.inverse.copy(), "weights": self.weights.copy()}

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave."""
        dimensions = self.inverse.shape[1]
        self.inverse = restored(arrays, "inverse", (arms, dimensions, dimensions))
        self.weights = restored(arrays, "weights", (arms, dimensions))
        np.linalg.cholesky(self.inverse)
