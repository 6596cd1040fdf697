"""A mixed linear model: effects shared by all arms, and effects of each arm's own, with variances from the data."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from router_models.evaluation.decisions import Indices, Matrix
from router_models.policy import Vector

ROUNDS: Final = 12
"""Fixed-point steps of the variances: more change nothing that matters."""

PRECISION: Final = 1e-4
"""Least share of the outcomes' mean square that is taken for noise: keeps the equations well conditioned."""

PSEUDO: Final = 1e-3
"""Of an effect, in a group's variance: keeps a group that explains nothing from vanishing for good."""


class Combination(NamedTuple):
    """A linear combination of effects: its posterior ``mean`` and ``variance``, and each outcome's part (n,) in it."""

    mean: float
    variance: float
    parts: Vector


class Mixed:
    """Outcomes are ``shared @ alpha + own @ beta[arm] + noise``; effects are Gaussian around zero.

    ``shared`` (n, P), ``own`` (n, F), ``arm`` (n,), ``outcome`` (n,). Effects belong to groups, ``shared_groups`` (P,)
    and ``own_groups`` (F,); each group has one variance, begun at ``variances`` (G,), kept above ``floors`` (G,), and
    found together with the noise by MacKay's fixed point (1992), an approximation to maximum marginal likelihood. It
    takes time of the order of n (P + F)^2 + K F^3 + P^3.
    """

    def __init__(
        self,
        *,
        shared: Matrix,
        own: Matrix,
        arm: Indices,
        arms: int,
        outcome: Vector,
        shared_groups: Indices,
        own_groups: Indices,
        variances: Vector,
        floors: Vector,
    ) -> None:
        self._shared, self._own, self._outcome, self._arm = shared, own, outcome, arm
        self._gram(arms)
        self._shared_groups, self._own_groups = shared_groups, own_groups
        self.variances, self._floors = variances.copy(), floors
        self.noise = max(float(self._outcome @ self._outcome) / len(outcome), 1e-9)
        least = PRECISION * self.noise
        for _ in range(ROUNDS):
            self._solve()
            self._adapt(least)
        self._solve()

    def _gram(self, arms: int) -> None:
        shared, own, outcome = self._shared, self._own, self._outcome
        width, own_width = shared.shape[1], own.shape[1]
        self._across = np.zeros((arms, width, own_width))
        self._within = np.zeros((arms, own_width, own_width))
        self._pull = np.zeros((arms, own_width))
        for arm in np.unique(self._arm):
            rows = self._arm == arm
            self._across[arm] = shared[rows].T @ own[rows]
            self._within[arm] = own[rows].T @ own[rows]
            self._pull[arm] = own[rows].T @ outcome[rows]
        self._common, self._common_pull = shared.T @ shared, shared.T @ outcome

    def _solve(self) -> None:
        """The effects' posterior: arms are independent given the shared effects, so those are eliminated last."""
        own_prior = self.noise / self.variances[self._own_groups]
        self._inverse = np.linalg.inv(self._within + np.diag(own_prior))
        self._through = self._across @ self._inverse
        explained = np.tensordot(self._through, self._across, axes=([0, 2], [0, 2]))
        prior = self.noise / self.variances[self._shared_groups]
        self._covariance = np.linalg.inv(self._common - explained + np.diag(prior))
        self.alpha = self._covariance @ (self._common_pull - np.einsum("kpf,kf->p", self._through, self._pull))
        residual = self._pull - np.einsum("kpf,p->kf", self._across, self.alpha)
        self.beta = np.einsum("kfg,kg->kf", self._inverse, residual)

    def _adapt(self, least: float) -> None:
        """Variances and noise from the effects, each effect counted by how much of it the data determine."""
        prior = self.noise / self.variances[self._shared_groups]
        own_prior = self.noise / self.variances[self._own_groups]
        spread = np.einsum("kff->kf", self._inverse)
        spread = spread + ((self._covariance @ self._through) * self._through).sum(axis=1)
        determined = np.clip(1.0 - prior * np.diag(self._covariance), 0.0, 1.0)
        own_determined = np.clip(1.0 - own_prior * spread, 0.0, 1.0)
        size, count = np.full(len(self.variances), PSEUDO) * self.variances, np.full(len(self.variances), PSEUDO)
        np.add.at(size, self._shared_groups, self.alpha**2)
        np.add.at(count, self._shared_groups, determined)
        np.add.at(size, self._own_groups, (self.beta**2).sum(axis=0))
        np.add.at(count, self._own_groups, own_determined.sum(axis=0))
        self.variances = np.maximum(np.maximum(size / count, self._floors), 1e-12)
        fitted = self._shared @ self.alpha + np.einsum("nf,nf->n", self._own, self.beta[self._arm])
        residual = self._outcome - fitted
        free = max(len(residual) - float(determined.sum() + own_determined.sum()), 1.0)
        self.noise = max(float(residual @ residual) / free, least)

    def combination(self, shared: Vector, own: Matrix) -> Combination:
        """Of ``shared @ alpha + sum(own * beta)``; ``shared`` (P,), ``own`` (K, F)."""
        towards = self._covariance @ (shared - np.einsum("kpf,kf->p", self._through, own))
        own_towards = np.einsum("kfg,kg->kf", self._inverse, own) - np.einsum("kpf,p->kf", self._through, towards)
        parts = self._shared @ towards + np.einsum("nf,nf->n", self._own, own_towards[self._arm])
        variance = self.noise * float(shared @ towards + (own * own_towards).sum())
        return Combination(float(shared @ self.alpha + (own * self.beta).sum()), variance, parts)

    def left_out(self) -> Vector:
        """Each outcome's residual (n,) from what the other outcomes predict, effects' variances being known."""
        fitted = self._shared @ self.alpha + np.einsum("nf,nf->n", self._own, self.beta[self._arm])
        leverage = np.empty(len(fitted))
        for arm in np.unique(self._arm):
            rows = self._arm == arm
            own = self._own[rows]
            rest = self._shared[rows] - own @ self._through[arm].T
            leverage[rows] = ((rest @ self._covariance) * rest).sum(axis=1)
            leverage[rows] += ((own @ self._inverse[arm]) * own).sum(axis=1)
        residual: Vector = (self._outcome - fitted) / np.maximum(1.0 - leverage, 0.05)
        return residual
