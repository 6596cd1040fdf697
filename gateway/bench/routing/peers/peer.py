"""What all peers' adapters have in common."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from router_models.alarm import Alarm
from router_models.policy import Arm, Arrays, Credit, InvalidState, Mask, Observation, Proposal, Snapshot, Vector

Features = npt.NDArray[np.float32]

TRUSTED = 0.5
"""Outcomes of less weight than this are left out where a library knows no weights."""


class Peer:
    """State and snapshot in one: there is nothing to publish. Scores are not told, only probabilities."""

    def __init__(self) -> None:
        self.arms: tuple[str, ...] = ()

    @abstractmethod
    def learn(self, observation: Observation) -> None:
        """See :class:`router_models.policy.State`."""

    @abstractmethod
    def probabilities(self, x: Features, *, explore: bool) -> Vector:
        """How likely each of the arms is chosen."""

    def add(self, arm: Arm) -> None:
        """See :class:`router_models.policy.State`."""
        self.arms = (*self.arms, arm.name)

    def remove(self, name: str) -> None:
        """See :class:`router_models.policy.State`."""
        self.arms = tuple(arm for arm in self.arms if arm != name)

    def chose(self, name: str) -> None:
        """Nothing to count."""

    def paid(self, name: str, usd: float) -> None:
        """Nothing to book."""

    def drifted(self, alarm: Alarm) -> None:
        """Nothing: peers see to that themselves, or not at all."""

    def reweigh(self, credit: Credit) -> bool:
        """Nothing: peers do not know who told them what."""
        return False

    def snapshot(self) -> Peer:
        """Itself."""
        return self

    def certain(self, name: str) -> Vector:
        """All mass on one arm."""
        return np.array([float(arm == name) for arm in self.arms])

    def propose(
        self,
        features: Features,
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """See :class:`router_models.policy.Snapshot`; every arm that it knows is eligible."""
        probabilities = self.probabilities(features, explore=explore)
        return Proposal(probabilities=probabilities, scores=probabilities)

    def propose_all(
        self,
        features: Features,
        *,
        eligible: Mask,
        costs: Vector | None = None,
        cost_weight: float = 0.0,
        handicaps: Vector | None = None,
        explore: bool = True,
    ) -> Proposal:
        """See :class:`router_models.policy.Snapshot`."""
        found = np.stack([self.probabilities(x, explore=explore) for x in features])
        return Proposal(probabilities=found, scores=found)

    def expected(self, features: Features) -> Vector:
        """The probabilities, as for want of scores."""
        return np.stack([self.probabilities(x, explore=False) for x in features])

    def priced(self, like: Snapshot) -> Peer:
        """Itself: peers keep their own books."""
        return self

    def check(self, *, since: Snapshot | None = None) -> None:
        """Nothing: what a library has learned it keeps to itself."""

    def arrays(self) -> Arrays:
        """The benchmark saves no peer's state."""
        return {}


class PeerPolicy:
    """A peer's policy: its states are started, never loaded."""

    def load(self, arrays: Arrays) -> Peer:
        """The benchmark saves no peer's state."""
        raise InvalidState("a peer's state is not saved, so there is none to load")
