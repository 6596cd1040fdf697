"""What requests read: an immutable snapshot of the default policy's beliefs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router_models.basis import Basis
from router_models.policy import Mask, Proposal, Vector
from router_models.thompson import argmax_frequencies, greedy, with_floor

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class View:
    """K arms over a basis of p entries: level, neighbourhoods, match with the arm's description.

    ``coefficients`` (K, p) and ``covariance`` (K, p, p) are the posterior's, ``priors`` (K, d) the arms' semantic
    priors, ``samples`` (K, S) their standard normals, ``prices`` (K,) the share cap's, in units of reward, and
    ``expected_costs`` (K,) in USD, of which each costs ``pace`` units of reward to hold the budget, and no request
    may cost more than the ``allowance``.
    """

    arms: tuple[str, ...]
    basis: Basis
    priors: Floats
    coefficients: Floats
    covariance: Floats
    noise: float
    samples: Floats
    prices: Vector
    expected_costs: Vector
    pace: float
    allowance: float
    average: float
    scale: float
    thrift: float
    exploration: float

    def propose(
        self,
        features: Floats,
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        explore: bool = True,
    ) -> Proposal:
        """See :class:`router_models.policy.Snapshot`."""
        if not math.isfinite(features.dot(features)):
            raise ValueError("features must be finite")
        if not eligible.any():
            raise ValueError("no arm is eligible")
        mean, variance = self.predict(features)
        utility = mean - self.prices
        per_dollar = cost_weight + self.pace
        usd = self.expected_costs if costs is None else costs
        if per_dollar:
            utility = utility - per_dollar * usd
        if self.allowance < math.inf:
            eligible = self.affordable(usd, eligible)
        scores = utility if eligible.all() else np.where(eligible, utility, np.nan)
        if not explore:
            return Proposal(probabilities=greedy(utility, eligible), scores=scores)
        deviation = np.sqrt(self.noise * np.maximum(self.scale**2 * self.levels() + self.thrift**2 * variance, 0.0))
        frequencies = argmax_frequencies(utility, deviation, self.samples, eligible)
        return Proposal(probabilities=with_floor(frequencies, eligible, self.exploration), scores=scores)

    def affordable(self, usd: Vector, eligible: Mask) -> Mask:
        """The eligible arms within the allowance; the cheapest of them if there is none."""
        within: Mask = eligible & (usd <= self.allowance)
        return within if within.any() else eligible & (usd <= usd[eligible].min())

    def levels(self) -> Vector:
        """Variance (K,) of each arm's level, in noises."""
        variances: Vector = self.covariance[:, 0, 0].astype(np.float64)
        return variances

    def predict(self, features: Floats) -> tuple[Vector, Vector]:
        """Mean (K,) of each arm's expected reward, and its variance in noises."""
        place = self.basis.places(features[None])[0]
        match = self.priors @ features
        arms, size, _ = self.covariance.shape
        mean = self.average + self.coefficients @ place + (1.0 + self.coefficients[:, -1]) * match
        spread = (self.covariance.reshape(-1, size) @ place).reshape(arms, size)
        variance = spread @ place + match * (2.0 * spread[:, -1] + match * self.covariance[:, -1, -1])
        return mean.astype(np.float64), variance.astype(np.float64)
