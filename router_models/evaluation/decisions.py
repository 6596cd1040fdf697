"""Logged decisions, as off-policy evaluation needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from router_models.policy import Mask, Vector

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TOLERANCE = 1e-6


class NotComparable(ValueError):
    """The log cannot answer for this target policy: data are malformed, too few, or without overlap."""


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """n decisions over K arms, in the order in which they were made; each one drawn by a policy and then rewarded.

    ``contexts`` (n, d) features, ``propensities`` (n, K) the probabilities drawn from, ``chosen`` (n,) the arm drawn,
    ``rewards`` (n,) in [0, 1], ``target`` (n, K) the evaluated policy's probabilities for the same requests. Arms that
    were not eligible have probability zero in both. Propensities may depend on the past, and so may the target's.

    A decision that was forced, or answered by another arm than the one drawn, says nothing about a policy: it must
    not be here; :meth:`drawn` leaves such out. Raises :class:`NotComparable` on anything malformed, and where the
    target plays an arm that could not have been drawn.
    """

    contexts: Matrix
    propensities: Matrix
    chosen: Indices
    rewards: Vector
    target: Matrix

    def __post_init__(self) -> None:
        n = len(self.rewards)
        shapes = (self.propensities.shape, self.target.shape)
        if n == 0 or self.propensities.ndim != 2 or shapes[0] != shapes[1] or shapes[0][0] != n:
            raise NotComparable(f"propensities and target need one shape (n, K) with n = {n} > 0, not {shapes}")
        if self.contexts.ndim != 2 or len(self.contexts) != n or self.chosen.shape != (n,) or self.rewards.ndim != 1:
            raise NotComparable(f"contexts (n, d), chosen (n,) and rewards (n,) must all have n = {n} rows")
        if not np.isfinite(self.contexts).all():
            raise NotComparable("contexts must be finite")
        if not ((self.rewards >= 0.0) & (self.rewards <= 1.0)).all():
            raise NotComparable("rewards must lie in [0, 1]")
        for name, probabilities in (("propensities", self.propensities), ("target", self.target)):
            if not (probabilities >= 0.0).all() or not (np.abs(probabilities.sum(axis=1) - 1.0) < TOLERANCE).all():
                raise NotComparable(f"each row of {name} must be a distribution over the arms")
        if self.chosen.dtype.kind != "i" or not ((self.chosen >= 0) & (self.chosen < shapes[0][1])).all():
            raise NotComparable(f"chosen must be arms' indices, below {shapes[0][1]}")
        if not (self.at_chosen(self.propensities) > 0.0).all():
            raise NotComparable("an arm was chosen that had no probability of it")
        if (self.target[self.propensities <= 0.0] > 0.0).any():
            raise NotComparable("the target plays an arm that the logging policy could not have drawn: no overlap")

    @classmethod
    def drawn(
        cls,
        *,
        contexts: Matrix,
        propensities: Matrix,
        chosen: Indices,
        answered: Indices,
        forced: Mask,
        rewards: Vector,
        target: Matrix,
    ) -> Decisions:
        """Of a whole log, the decisions that count: not ``forced`` (n,), and ``answered`` (n,) by the arm drawn."""
        kept = ~forced & (answered == chosen)
        return cls(
            contexts=contexts[kept],
            propensities=propensities[kept],
            chosen=chosen[kept],
            rewards=rewards[kept],
            target=target[kept],
        )

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def arms(self) -> int:
        """K."""
        return int(self.propensities.shape[1])

    @property
    def ratios(self) -> Matrix:
        """Importance weights (n, K) of every arm, whether it was drawn or not; zero where it could not be."""
        ratios = np.zeros_like(self.target)
        np.divide(self.target, self.propensities, out=ratios, where=self.propensities > 0.0)
        return ratios

    @property
    def weights(self) -> Vector:
        """Importance weights (n,) of the arms drawn."""
        return self.at_chosen(self.target) / self.at_chosen(self.propensities)

    def at_chosen(self, values: Matrix) -> Vector:
        """Of values (n, K), those of the arms drawn (n,)."""
        picked: Vector = values[np.arange(len(self.rewards)), self.chosen]
        return picked

    def with_target(self, target: Matrix) -> Decisions:
        """The same log, asked about another policy."""
        return replace(self, target=target)


Estimator = Callable[[Decisions], "Estimate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the target policy would have earned per decision, with a 95 % confidence interval [``low``, ``high``].

    ``effective_sample_size`` is Kish's: how many decisions of the target's own the log is worth to importance
    weighting; ``largest_weight`` is the largest importance weight of any arm drawn.
    """

    value: float
    low: float
    high: float
    effective_sample_size: float
    largest_weight: float

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low


def estimate(decisions: Decisions, *, value: float, error: float, above: float = 0.0, below: float = 0.0) -> Estimate:
    """An estimate of this standard ``error``, which bias may put off by ``above`` and ``below``; rewards are in [0, 1].

    An interval that lies outside altogether (importance weighting can go there) becomes the nearest point.
    """
    weights = decisions.weights
    total, squares = float(weights.sum()), float(weights @ weights)
    low, high = np.clip((value - Z * error - below, value + Z * error + above), 0.0, 1.0)
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        effective_sample_size=total**2 / squares if squares else 0.0,
        largest_weight=float(weights.max()),
    )


Z = 1.959963984540054
"""Of a normal distribution, 95 % lie within so many standard errors."""
