"""MABWiser (Strong et al. 2019): LinUCB from its library, updated after every outcome.

Rewards are told to it about ``CENTRE``, so that a model without outcomes is neither the worst nor the best: with plain
rewards it stays with the first model that is any good. It has no weights: an outcome that is trusted less than half is
left out. ``width`` is the best of .3, .5 and 1 on llmrouter-9 and paretobandit-4.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gateway.bench.routing.peers.peer import TRUSTED, Features, Peer, PeerPolicy
from router_models.policy import Arm, Observation, Vector

CENTRE = 0.5


@dataclass(frozen=True, kw_only=True)
class MABWiser(PeerPolicy):
    """``width`` is LinUCB's alpha, ``penalty`` its ridge."""

    name: ClassVar[str] = "mabwiser"
    seed: int
    width: float = 0.5
    penalty: float = 1.0

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What its constructor is given, and the centre of rewards."""
        return {"learning_policy": "LinUCB", "alpha": self.width, "l2_lambda": self.penalty, "centre": CENTRE}

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> Bandit:
        """See :class:`router_models.policy.Policy`."""
        bandit = Bandit(policy=self)
        for arm in arms:
            bandit.add(arm)
        return bandit


class Bandit(Peer):
    """Its bandit is made at the first outcome; before that every model is as likely."""

    def __init__(self, *, policy: MABWiser) -> None:
        super().__init__()
        self._policy = policy
        self._bandit: Any = None

    def add(self, arm: Arm) -> None:
        """See :class:`router_models.policy.State`."""
        super().add(arm)
        if self._bandit is not None:
            self._bandit.add_arm(arm.name)

    def remove(self, name: str) -> None:
        """See :class:`router_models.policy.State`."""
        super().remove(name)
        if self._bandit is not None:
            self._bandit.remove_arm(name)

    def learn(self, observation: Observation) -> None:
        """See :class:`router_models.policy.State`."""
        if observation.arm not in self.arms or observation.weight < TRUSTED:
            return
        if self._bandit is None:
            self._bandit = self._make()
        self._bandit.partial_fit([observation.arm], [observation.reward - CENTRE], [observation.features.tolist()])

    def _make(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what its import sets off is not ours to mend
            from mabwiser.mab import MAB, LearningPolicy

        policy = LearningPolicy.LinUCB(alpha=self._policy.width, l2_lambda=self._policy.penalty)
        return MAB(list(self.arms), policy, seed=self._policy.seed)

    def probabilities(self, x: Features, *, explore: bool) -> Vector:
        """All mass on what it predicts."""
        if self._bandit is None:
            return np.full(len(self.arms), 1.0 / len(self.arms))
        return self.certain(self._bandit.predict([x.tolist()]))
