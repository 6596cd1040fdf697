"""What requests read: an immutable snapshot of the default policy's beliefs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from router_models.basis import Basis
from router_models.onboarding import with_trials
from router_models.policy import InvalidState, Mask, Proposal, Snapshot, Vector
from router_models.rows import Floats, rowwise
from router_models.thompson import argmax_frequencies, greedy, with_floor


@dataclass(frozen=True, kw_only=True)
class View:
    """K arms over a basis of p entries: level, neighbourhoods, match with the arm's description.

    ``coefficients`` (K, p) and ``covariance`` (K, p, p) are the posterior's, ``priors`` (K, d) the arms' semantic
    priors, ``samples`` (K, S) their standard normals, ``newcomers`` (K,) those with trials left, ``prices`` (K,) the
    share cap's, in units of reward, and ``expected_costs`` (K,) in USD, of which each costs ``pace`` units of reward
    to hold the budget, and no request may cost more than the ``allowance``.
    """

    arms: tuple[str, ...]
    basis: Basis
    priors: Floats
    coefficients: Floats
    covariance: Floats
    noise: float
    samples: Floats
    newcomers: Mask
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
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """See :class:`router_models.policy.Snapshot`."""
        rows = self.propose_all(
            features[None],
            eligible=eligible[None],
            costs=None if costs is None else costs[None],
            cost_weight=cost_weight,
            handicaps=None if handicaps is None else handicaps[None],
            explore=explore,
        )
        return Proposal(probabilities=rows.probabilities[0], scores=rows.scores[0])

    def propose_all(
        self,
        features: Floats,
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """See :class:`router_models.policy.Snapshot`; a request's row is the same, bit for bit, in any company."""
        if not np.isfinite(features).all():
            raise ValueError("features must be finite")
        everyone = bool(eligible.all())
        if not (everyone or eligible.any(axis=1).all()):
            raise ValueError("no arm is eligible")
        mean, variance = self.predict(features)
        utility = mean - self.prices
        per_dollar = cost_weight + self.pace
        usd = self.expected_costs if costs is None else costs
        if per_dollar:
            utility = utility - per_dollar * usd
        if handicaps is not None:
            utility = utility - handicaps
        if self.allowance < math.inf:
            eligible = self.affordable(np.broadcast_to(usd, eligible.shape), eligible)
            everyone = bool(eligible.all())
        scores = utility if everyone else np.where(eligible, utility, np.nan)
        if not explore:
            return Proposal(probabilities=greedy(utility, eligible), scores=scores)
        deviation = np.sqrt(self.level_variance + np.float32(self.noise * self.thrift**2) * np.maximum(variance, 0.0))
        frequencies = argmax_frequencies(utility, deviation, self.samples, eligible)
        if self.newcomers.any():
            frequencies = with_trials(frequencies, eligible & self.newcomers)
        return Proposal(probabilities=with_floor(frequencies, eligible, self.exploration), scores=scores)

    def expected(self, features: Floats) -> Vector:
        """See :class:`router_models.policy.Snapshot`."""
        return self.predict(features)[0].astype(np.float64)

    def priced(self, like: Snapshot) -> View:
        """See :class:`router_models.policy.Snapshot`; an arm that the other does not know keeps its own prices."""
        if not isinstance(like, View):
            return self
        prices, newcomers, costs = like.prices, like.newcomers, like.expected_costs
        if like.arms != self.arms:
            prices, newcomers, costs = self.prices.copy(), self.newcomers.copy(), self.expected_costs.copy()
            places = [(self.arms.index(arm), place) for place, arm in enumerate(like.arms) if arm in self.arms]
            own, others = [own for own, _ in places], [other for _, other in places]
            prices[own], newcomers[own] = like.prices[others], like.newcomers[others]
            costs[own] = like.expected_costs[others]
        return replace(
            self, prices=prices, newcomers=newcomers, expected_costs=costs, pace=like.pace, allowance=like.allowance
        )

    def check(self, *, since: Snapshot | None = None) -> None:
        """See :class:`router_models.policy.Snapshot`; one decomposition for each arm that has learned."""
        numbers = (self.coefficients, self.covariance, self.priors, self.prices, self.expected_costs)
        if not all(np.isfinite(each).all() for each in numbers) or not 0.0 < self.noise < math.inf:
            raise InvalidState("beliefs must be finite, and the noise positive")
        covariance = self.covariance
        if isinstance(since, View) and since.covariance.shape == covariance.shape:
            covariance = covariance[(covariance != since.covariance).any(axis=(1, 2))]
        try:
            np.linalg.cholesky(covariance.astype(np.float64))
        except np.linalg.LinAlgError:
            raise InvalidState("a covariance is not positive definite") from None

    def affordable(self, usd: Vector, eligible: Mask) -> Mask:
        """The eligible arms (n, K) within the allowance; the cheapest of a row if there is none."""
        within = eligible & (usd <= self.allowance)
        cheapest = np.where(eligible, usd, np.inf).min(axis=1, keepdims=True)
        return np.where(within.any(axis=1, keepdims=True), within, eligible & (usd <= cheapest))

    @cached_property
    def level_variance(self) -> Floats:
        """Variance (K,) that each arm's level is explored with."""
        variance: Floats = np.float32(self.noise * self.scale**2) * self.covariance[:, 0, 0]
        return variance

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean (n, K) of each arm's expected reward, and its variance in noises."""
        arms, size, _ = self.covariance.shape
        places = self.basis.places(features)
        matches = rowwise(features, self.priors.T)
        mean = rowwise(places, self.coefficients.T) + (1.0 + self.coefficients[:, -1]) * matches
        mean += np.float32(self.average)
        columns = places[:, :, None]
        spread = np.matmul(self.covariance.reshape(-1, size), columns).reshape(-1, arms, size)
        variance = np.matmul(spread, columns)[:, :, 0]
        variance += matches * (2.0 * spread[:, :, -1] + matches * self.covariance[:, -1, -1])
        return mean, variance
