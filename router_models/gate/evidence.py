"""What was seen lately: each arm's last outcomes, to hold beliefs against."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np

from router_models.policy import Observation, Vector
from router_models.rows import Floats

LATEST: Final = 32
LEAST: Final = 128
"""Outcomes kept of each arm; more where arms are few, so that all together are at least so many.

Change is noticed within about as many outcomes of an arm, so beliefs that have taken a change in fit these, where
those from before it do not.
"""


class Outcomes(NamedTuple):
    """n outcomes: ``features`` (n, d), each one's ``arms`` (n,) by name, and its ``rewards`` (n,)."""

    features: Floats
    arms: list[str]
    rewards: Vector


class Evidence:
    """Takes what a policy learns from; an arm's oldest outcome leaves for its newest."""

    def __init__(self) -> None:
        self._by_arm: dict[str, deque[Observation]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_arm.values()))

    def take(self, observation: Observation) -> None:
        """Keep one outcome; amendments and what has no weight say nothing new."""
        if observation.previous is None and observation.weight > 0.0:
            self._by_arm.setdefault(observation.arm, deque(maxlen=max(LATEST, LEAST))).append(observation)

    def among(self, arms: tuple[str, ...]) -> Outcomes:
        """The last outcomes of these arms."""
        known = [arm for arm in arms if arm in self._by_arm]
        each = max(LATEST, LEAST // max(len(known), 1))
        kept = [one for arm in known for one in list(self._by_arm[arm])[-each:]]
        return Outcomes(
            features=np.array([one.features for one in kept], dtype=np.float32),
            arms=[one.arm for one in kept],
            rewards=np.array([one.reward for one in kept]),
        )
