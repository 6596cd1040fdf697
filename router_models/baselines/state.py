"""The state and the snapshot that all baselines share."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router_models.alarm import Alarm
from router_models.baselines.estimator import Estimator, Predict
from router_models.checks import check_observation, check_prior, restored, restored_names
from router_models.policy import Arm, Arrays, Credit, InvalidState, Mask, Observation, Proposal, Snapshot, Vector
from router_models.thompson import greedy, with_floor

Floats = npt.NDArray[np.float32]
Choose = Callable[[tuple[str, ...], Vector, Vector, Mask], Vector]
"""From names, mean utilities (K,), deviations (K,) and eligibility to probabilities (K,)."""

AVERAGE = 0.5


@dataclass(frozen=True, kw_only=True)
class BaselineView:
    """An estimator's predictions and a way to choose by them."""

    arms: tuple[str, ...]
    priors: Vector
    predict: Predict
    choose: Choose
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
        if not np.isfinite(features).all():
            raise ValueError("features must be finite")
        if not eligible.any():
            raise ValueError("no arm is eligible")
        mean, deviation = self.predict(features)
        utility = AVERAGE + self.priors @ features + mean
        if costs is not None:
            utility = utility - cost_weight * costs
        if handicaps is not None:
            utility = utility - handicaps
        scores = np.where(eligible, utility, np.nan)
        if not explore:
            return Proposal(probabilities=greedy(utility, eligible), scores=scores)
        chosen = self.choose(self.arms, utility, deviation, eligible)
        return Proposal(probabilities=with_floor(chosen, eligible, self.exploration), scores=scores)

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
        """See :class:`router_models.policy.Snapshot`."""
        rows = [
            self.propose(
                x,
                eligible=eligible[row],
                costs=None if costs is None else costs[row],
                cost_weight=cost_weight,
                handicaps=None if handicaps is None else handicaps[row],
                explore=explore,
            )
            for row, x in enumerate(features)
        ]
        return Proposal(
            probabilities=np.array([each.probabilities for each in rows]),
            scores=np.array([each.scores for each in rows]),
        )

    def expected(self, features: Floats) -> Vector:
        """See :class:`router_models.policy.Snapshot`."""
        return np.array([AVERAGE + self.priors @ x + self.predict(x)[0] for x in features])

    def priced(self, like: Snapshot) -> BaselineView:
        """Itself: baselines have no prices."""
        return self

    def check(self, *, since: Snapshot | None = None) -> None:
        """See :class:`router_models.policy.Snapshot`; what is learned is looked at through its predictions."""
        predicted = self.predict(np.eye(1, self.priors.shape[1], dtype=np.float32)[0])
        if not all(np.isfinite(each).all() for each in (self.priors, *predicted)):
            raise InvalidState("beliefs must be finite")


class BaselineState:
    """Arms in the order of their names, and an estimator that knows them by index."""

    def __init__(self, *, dimensions: int, estimator: Estimator, choose: Choose, exploration: float) -> None:
        self.estimator, self.choose, self.exploration = estimator, choose, exploration
        self.names: list[str] = []
        self.priors = np.zeros((0, dimensions))

    def add(self, arm: Arm) -> None:
        """See :class:`router_models.policy.State`."""
        prior = check_prior(arm, self.priors.shape[1])
        index = bisect_left(self.names, arm.name)
        if index < len(self.names) and self.names[index] == arm.name:
            self.priors[index] = prior
            return
        self.names.insert(index, arm.name)
        self.priors = np.insert(self.priors, index, prior, axis=0)
        self.estimator.insert(index)

    def remove(self, name: str) -> None:
        """See :class:`router_models.policy.State`."""
        if name in self.names:
            index = self.names.index(name)
            del self.names[index]
            self.priors = np.delete(self.priors, index, axis=0)
            self.estimator.remove(index)

    def chose(self, name: str) -> None:
        """Nothing: baselines have no share cap."""

    def paid(self, name: str, usd: float) -> None:
        """Nothing: baselines hold no budget."""

    def learn(self, observation: Observation) -> None:
        """See :class:`router_models.policy.State`."""
        check_observation(observation, self.priors.shape[1])
        if observation.arm not in self.names or not observation.weight:
            return
        arm = self.names.index(observation.arm)
        promised = AVERAGE + float(self.priors[arm] @ observation.features)
        before = promised if observation.previous is None else observation.previous
        self.estimator.learn(arm, observation, observation.reward - before)

    def drifted(self, alarm: Alarm) -> None:
        """Nothing: baselines forget nothing."""

    def reweigh(self, credit: Credit) -> bool:
        """Nothing: baselines do not know who told them what."""
        return False

    def snapshot(self) -> BaselineView:
        """See :class:`router_models.policy.State`."""
        return BaselineView(
            arms=tuple(self.names),
            priors=self.priors.copy(),
            predict=self.estimator.predictor(),
            choose=self.choose,
            exploration=self.exploration,
        )

    def arrays(self) -> Arrays:
        """See :class:`router_models.policy.State`."""
        names = np.array(self.names, dtype=np.str_)
        return {"names": names, "priors": self.priors.copy(), **self.estimator.arrays()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``ValueError`` or ``LinAlgError`` on anything unusable."""
        self.names = restored_names(arrays)
        self.priors = restored(arrays, "priors", (len(self.names), self.priors.shape[1]))
        self.estimator.restore(arrays, len(self.names))
