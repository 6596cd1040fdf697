"""The posterior: hierarchical Bayesian linear regression, exact, one rank-one update per outcome.

Arm k's reward at basis vector z (p,) is ``z @ (shared + own_k)`` plus noise. The shared part is how hard a request
is for anyone; every arm's outcomes teach it, so that an arm seen on hard requests alone is not thought weak. The
own part is what routing is after, and shrinks strongly. Given the shared part the arms are independent, which
keeps everything in closed form (Lindley and Smith 1972). With all variances in units of the noise's:

    own precision        L + G_k            with G_k the arm's summed z z', L diagonal
    covariance           C_k = (L + G_k)^-1
    shared precision     P = L0 + sum_k (L - L C_k L),  since each arm's data says that much about the shared part
    mean of shared+own   w_k + C_k L shared,            w_k being the arm's estimate were the shared part zero

An outcome changes C_k by rank one, hence P by rank one, hence P^-1 by rank one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from router_models.policy import Vector


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What each of K arms has seen: ``gram`` (K, p, p), ``moment`` (K, p), and over all of them the summed
    ``squares`` of rewards and the ``count`` of outcomes.
    """

    gram: Vector
    moment: Vector
    squares: float
    count: float


class Posterior:
    """Beliefs about K arms over p basis entries; ``own`` and ``common`` (p,) are the prior variances, in noises."""

    def __init__(self, *, own: Vector, common: Vector) -> None:
        self.precision, self.common = 1.0 / own, common
        size = len(own)
        self.covariance: Vector = np.zeros((0, size, size))
        self.estimate: Vector = np.zeros((0, size))
        self.shared_covariance: Vector = np.diag(common)
        self.pull: Vector = np.zeros(size)
        self.shared: Vector = np.zeros(size)

    @classmethod
    def fit(cls, evidence: Evidence, *, own: Vector, common: Vector) -> Posterior:
        """The posterior after all of the evidence at once; O(K p^3)."""
        posterior = cls(own=own, common=common)
        inverse = np.linalg.inv(np.diag(posterior.precision) + evidence.gram)
        posterior.covariance = np.asarray(inverse, np.float64)
        posterior.estimate = np.einsum("kij,kj->ki", posterior.covariance, evidence.moment)
        posterior.settle()
        return posterior

    def insert(self, arm: int) -> None:
        """Put an arm that knows nothing at index ``arm``."""
        self.covariance = np.insert(self.covariance, arm, np.diag(1.0 / self.precision), axis=0)
        self.estimate = np.insert(self.estimate, arm, 0.0, axis=0)

    def remove(self, arm: int) -> None:
        """Drop an arm and what it said about the shared part."""
        self.covariance = np.delete(self.covariance, arm, axis=0)
        self.estimate = np.delete(self.estimate, arm, axis=0)
        self.settle()

    def learn(self, arm: int, z: Vector, reward: float, weight: float) -> tuple[float, float]:
        """Fold one outcome in, at ``weight`` in (0, 1] of an outcome's precision.

        Returns the mean that was expected of it at ``z`` (p,), and the variance of that mean in noises.
        """
        spread = self.covariance[arm] @ z
        said = self.precision * spread
        variance, estimate = float(z @ spread), float(z @ self.estimate[arm])
        mean = estimate + float(said @ self.shared)
        scale = 1.0 / weight + variance
        error = (reward - estimate) / scale
        self.covariance[arm] -= spread[:, None] * (spread / scale)
        self.estimate[arm] += spread * error
        self.pull += said * error
        heard = self.shared_covariance @ said
        self.shared_covariance -= heard[:, None] * (heard / (scale + said @ heard))
        self.shared = self.shared_covariance @ self.pull
        return mean, variance

    def amend(self, arm: int, z: Vector, change: float, weight: float) -> None:
        """Change a reward learned before at ``z`` by ``change``; certainty stays as it is."""
        moved = self.covariance[arm] @ z * (change * weight)
        self.estimate[arm] += moved
        self.pull += self.precision * moved
        self.shared = self.shared_covariance @ self.pull

    def settle(self) -> None:
        """Recompute the shared part from the arms: exact, O(K p^2 + p^3)."""
        said = np.diag(self.precision) - self.precision[:, None] * self.covariance * self.precision
        self.shared_covariance = np.linalg.inv(np.diag(1.0 / self.common) + said.sum(axis=0))
        self.pull = (self.precision * self.estimate).sum(axis=0)
        self.shared = self.shared_covariance @ self.pull

    def misfit(self, evidence: Evidence) -> float:
        """The squares of rewards that the model leaves unexplained, priors included."""
        return float(evidence.squares - (self.estimate * evidence.moment).sum() - self.pull @ self.shared)

    def log_evidence(self, evidence: Evidence) -> float:
        """Log marginal likelihood of what was fitted, the noise integrated out, up to a constant."""
        widths = np.linalg.slogdet(self.covariance)[1].sum() + len(self.estimate) * np.log(self.precision).sum()
        widths += np.linalg.slogdet(self.shared_covariance)[1] - np.log(self.common).sum()
        return float(0.5 * widths - 0.5 * evidence.count * np.log(max(self.misfit(evidence), 1e-9)))

    def coefficients(self) -> Vector:
        """Posterior means (K, p) of shared plus own part."""
        means: Vector = self.estimate + self.covariance @ (self.precision * self.shared)
        return means
