"""The reward model: what each arm would have earned at each request, learned from the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from router_models.evaluation.decisions import Decisions, Indices, Matrix
from router_models.evaluation.mixed import Mixed
from router_models.policy import Vector

COMPONENTS: Final = 24
NEIGHBOURHOODS: Final = 16
ROUNDS: Final = 8
FOLDS: Final = 3

FLAT, LINEAR, LOCAL, OWN_LEVEL, OWN_LINEAR, OWN_LOCAL, PREFERENCE, DRIFT = range(8)
GROUPS: Final = 8
"""The groups of effects: of all arms, of each arm, of what the logging policy preferred, and of the weight."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What requests have in common: ``values`` (n, F), each column in one of the first three ``groups`` (F,)."""

    values: Matrix
    groups: Indices


def basis(contexts: Matrix) -> Basis:
    """A constant, principal components of the contexts (n, d), and soft memberships in neighbourhoods of them."""
    n = len(contexts)
    components = _components(contexts - contexts.mean(axis=0))
    parts = [np.ones((n, 1)), components, _memberships(components)]
    groups = np.repeat(np.array([FLAT, LINEAR, LOCAL]), [part.shape[1] for part in parts])
    return Basis(values=np.concatenate(parts, axis=1), groups=groups)


def _components(centred: Matrix) -> Matrix:
    """The leading principal components, scaled together so that rows have length one on average."""
    _, axes = np.linalg.eigh(centred.T @ centred)
    components = centred @ axes[:, ::-1][:, :COMPONENTS]
    length = np.sqrt((components**2).sum(axis=1).mean()) if components.size else 0.0
    if length < 1e-9:
        return np.zeros((len(centred), 0))
    kept: Matrix = components[:, components.std(axis=0) > 1e-6 * length] / length
    return kept


def _memberships(points: Matrix) -> Matrix:
    """Soft memberships (n, M) in clusters found by Lloyd's algorithm from evenly spaced rows, centred and scaled."""
    count = min(NEIGHBOURHOODS, len(points) // 40)
    if count < 2 or points.shape[1] == 0:
        return np.zeros((len(points), 0))
    centres = points[np.linspace(0, len(points) - 1, count).astype(int)]
    for _ in range(ROUNDS):
        nearest = _distances(points, centres).argmin(axis=1)
        sizes = np.bincount(nearest, minlength=count)
        sums = np.stack([np.bincount(nearest, column, count) for column in points.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    distances = _distances(points, centres)
    least = distances.min(axis=1, keepdims=True)
    soft = np.exp(-0.5 * (distances - least) / (np.median(least) + 1e-9))
    soft /= soft.sum(axis=1, keepdims=True)
    soft -= soft.mean(axis=0)
    scaled: Matrix = soft / max(float(np.sqrt((soft**2).sum(axis=1).mean())), 1e-9)
    return scaled


def _distances(points: Matrix, centres: Matrix) -> Matrix:
    squares: Matrix = (points**2).sum(axis=1)[:, None] - 2.0 * points @ centres.T + (centres**2).sum(axis=1)
    return np.maximum(squares, 0.0)


def preference(propensities: Matrix) -> Matrix:
    """The logging policy's log-probabilities (n, K), standardised under itself: what it preferred, it had reason to."""
    logs = np.log(np.maximum(propensities, 1e-12))
    total = propensities.sum()
    centred = logs - (propensities * logs).sum() / total
    deviation = float(np.sqrt((propensities * centred**2).sum() / total))
    return centred / deviation if deviation > 1e-6 else np.zeros_like(centred)


@dataclass(frozen=True, kw_only=True)
class Model:
    """Rewards as a common part, a part of each arm's own, and parts that vary with arm and request alike.

    ``varying`` (n, K, V) are the latter's features, in ``groups`` (V,). Deviations stay above ``floors``, one a group.
    """

    basis: Basis
    varying: Matrix
    groups: Indices
    floors: Vector

    def fit(self, decisions: Decisions, rows: Indices) -> Fitted:
        """From the decisions at ``rows``."""
        values, arm = self.basis.values[rows], decisions.chosen[rows]
        average = float(decisions.rewards[rows].mean())
        outcome = decisions.rewards[rows] - average
        spread = float(outcome.var()) + 1e-6
        variances = np.full(GROUPS, 0.3 * spread)
        variances[FLAT] = 100.0 * spread
        floors = self.floors**2
        floors[FLAT] = 100.0 * spread
        mixed = Mixed(
            shared=np.concatenate([values, self.varying[rows, arm]], axis=1),
            own=values,
            arm=arm,
            arms=decisions.arms,
            outcome=outcome,
            shared_groups=np.concatenate([self.basis.groups, self.groups]),
            own_groups=self.basis.groups + OWN_LEVEL,
            variances=np.maximum(variances, floors),
            floors=floors,
        )
        return Fitted(model=self, mixed=mixed, average=average)


@dataclass(frozen=True)
class Fitted:
    """A fitted model."""

    model: Model
    mixed: Mixed
    average: float

    def rewards(self) -> Matrix:
        """Predicted rewards (n, K) of every arm at every request of the log, not clipped."""
        values = self.model.basis.values
        common, varying = np.split(self.mixed.alpha, [values.shape[1]])
        predicted: Matrix = (values @ common)[:, None] + values @ self.mixed.beta.T + self.model.varying @ varying
        return self.average + predicted

    def value(self, target: Matrix) -> tuple[float, float]:
        """The mean reward of ``target`` (n, K) at the log's requests, and its standard error.

        The difference of two policies will do too: the mean is linear in the target. The noise's part in the error is
        robust (MacKinnon and White 1985): rewards may vary more where the target goes than where the log has been.
        """
        values, n = self.model.basis.values, len(target)
        varying = np.einsum("nk,nkv->v", target, self.model.varying) / n
        mass = target.sum(axis=1)
        shared = np.concatenate([mass @ values / n, varying])
        found = self.mixed.combination(shared, target.T @ values / n)
        excess = float(found.parts**2 @ (self.mixed.left_out() ** 2 - self.mixed.noise))
        expected = (target * self.rewards()).sum(axis=1)
        average = self.average * float(mass.mean())
        return average + found.mean, float(np.sqrt(found.variance + max(excess, 0.0) + expected.var() / n))


def plain(decisions: Decisions) -> Model:
    """The model of contexts, arms and the logging policy's preference, whatever the target."""
    return Model(
        basis=basis(decisions.contexts),
        varying=preference(decisions.propensities)[:, :, None],
        groups=np.array([PREFERENCE]),
        floors=np.zeros(GROUPS),
    )


def fitted(decisions: Decisions) -> Fitted:
    """The plain model, fitted to the whole log."""
    return plain(decisions).fit(decisions, np.arange(len(decisions)))


def cross_fitted(decisions: Decisions, *, folds: int = FOLDS) -> Matrix:
    """Predicted rewards (n, K) in [0, 1], each from decisions of other folds only; folds interleave."""
    model, n = plain(decisions), len(decisions)
    predicted = np.empty_like(decisions.target)
    fold = np.arange(n) % min(folds, n)
    for held in range(folds):
        rows = np.flatnonzero(fold != held)
        if len(rows) and (fold == held).any():
            predicted[fold == held] = model.fit(decisions, rows).rewards()[fold == held]
    return np.clip(predicted, 0.0, 1.0)
