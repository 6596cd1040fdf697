"""Vowpal Wabbit's contextual bandit with action-dependent features.

Set up as its documentation recommends: ``--cb_explore_adf`` with the multi-task regression reduction, the request's
features crossed with the model's name, and SquareCB (Foster and Rakhlin 2020) to explore. It has no weights for such
labels: an outcome that is trusted less than half is left out. SquareCB is the best of it, epsilon-greedy and online
cover on llmrouter-9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gateway.bench.routing.peers.peer import TRUSTED, Features, Peer, PeerPolicy
from router_models.policy import Arm, Observation, Vector

UNSAFE = str.maketrans(dict.fromkeys(" :|\t\n", "_"))
"""Characters that have a meaning in its text format."""


@dataclass(frozen=True, kw_only=True)
class VowpalWabbit(PeerPolicy):
    """``options`` are its command line's."""

    name: ClassVar[str] = "vowpalwabbit"
    seed: int
    options: str = "--cb_explore_adf --cb_type mtr --squarecb -q UM"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What its constructor is given."""
        return {"options": self.options}

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> Workspace:
        """See :class:`router_models.policy.Policy`."""
        workspace = Workspace(policy=self)
        for arm in arms:
            workspace.add(arm)
        return workspace


class Workspace(Peer):
    """It learns with the propensity of a choice, so those of all choices are kept."""

    def __init__(self, *, policy: VowpalWabbit) -> None:
        from vowpalwabbit import pyvw

        super().__init__()
        self._workspace: Any = pyvw.Workspace(f"{policy.options} --random_seed {policy.seed} --quiet")
        self._proposed: tuple[bytes, Vector] = (b"", np.zeros(0))
        self._propensities: dict[tuple[str, bytes], float] = {}

    def chose(self, name: str) -> None:
        """Keep the propensity until the outcome is known."""
        key, probabilities = self._proposed
        self._propensities[name, key] = float(probabilities[self.arms.index(name)])

    def learn(self, observation: Observation) -> None:
        """See :class:`router_models.policy.State`."""
        if observation.arm not in self.arms or observation.weight < TRUSTED:
            return
        propensity = self._propensities[observation.arm, observation.features.tobytes()]
        label = f"0:{1.0 - observation.reward}:{propensity}"
        self._workspace.learn(self._example(observation.features, {observation.arm: label}))

    def _example(self, x: Features, labels: Mapping[str, str]) -> list[str]:
        """A request as its text format has it: what is shared, then a line for each model."""
        shared = " ".join(f"{index}:{value:.6g}" for index, value in enumerate(x.tolist()))
        lines = (f"{labels.get(arm, '')} |M m{arm.translate(UNSAFE)}" for arm in self.arms)
        return [f"shared |U {shared}", *lines]

    def probabilities(self, x: Features, *, explore: bool) -> Vector:
        """The distribution that it predicts."""
        found = np.array(self._workspace.predict(self._example(x, {})))
        found /= found.sum()
        if explore:
            self._proposed = (x.tobytes(), found)
        return found
