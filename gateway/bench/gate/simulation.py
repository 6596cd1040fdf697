"""A router behind its gate as in a gateway, without the log and without HTTP: requests, and outcomes that come later.

The gate is the gateway's own (:mod:`gateway.gate.standing` and what it calls), and so is the policy.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.config import Gate as Settings
from gateway.events import Feedback, Lesson
from gateway.fold import Heard
from gateway.gate.standing import Arrival, Rules, Standing
from gateway.publication import Published
from gateway.transaction import Record
from router_models.drawing import drawn
from router_models.policy import Arm, Arrays, Observation, Policy

LINEAGE: Final = 1
PACE_S: Final = 0.01
"""Seconds between two requests, by the clock that the gate goes by."""


class Simulation:
    """One tenant's router: ``serve`` requests one after the other; ``standing`` says how it stands.

    It begins with what is ``known``, if anything, from so many outcomes.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        models: Sequence[str],
        width: int,
        rng: np.random.Generator,
        settings: Settings,
        known: tuple[Arrays, int] | None = None,
    ) -> None:
        self.policy = policy
        self.models = list(models)
        self.standing = Standing(tenant="simulated", settings=settings)
        priors = [Arm(name=model, prior=np.zeros(width)) for model in self.models]
        self.state = policy.start(dimensions=width, arms=priors) if known is None else policy.load(known[0])
        self.lessons = 0 if known is None else known[1]
        self.groups: list[str] = []
        self.rewards: list[float] = []
        self._rng = rng
        self._everyone = np.ones(len(self.models), dtype=np.bool_)
        self._version = self._position = self._served = 0
        self._due: list[tuple[int, int, Heard]] = []
        self._live = self._candidate()
        cap, floor = policy.parameters.get("cap"), policy.parameters.get("exploration", 0.0)
        self._rules = Rules(floor=floor, cap=cap)

    @property
    def outcomes(self) -> int:
        """Outcomes of the trial that goes on."""
        return 0 if self.standing.trial is None else self.standing.trial.outcomes

    def bring(self, arrays: Arrays) -> None:
        """Import a state by force."""
        self.state = self.policy.load(arrays)
        self.standing.expect(Arrival(cause="imported", before=self._live, forced=True))
        self._learned()
        self._publish()

    def serve(self, features: npt.NDArray[np.float32], rewards: npt.NDArray[np.float64], *, delay: int = 0) -> None:
        """One request; its outcome, of ``rewards`` (K,), is told ``delay`` requests later."""
        published = self._live.drawn(float(self._rng.random()))
        proposal = published.snapshot.propose(features, eligible=self._everyone)
        model = self.models[drawn(proposal.probabilities, float(self._rng.random()))]
        self.state.chose(model)
        self._position += 1
        reward = float(rewards[self.models.index(model)])
        lesson = Lesson(model, features.tobytes(), LINEAGE, published.group, published.share, published.trial)
        told = Feedback(reward=reward, weight=1.0, previous=None, lesson=lesson)
        record = Record(self._position, 0, told.kind, "simulated", uuid.uuid4().bytes, "key", told)
        observation = Observation(arm=model, features=features, reward=reward)
        heappush(self._due, (self._served + delay, self._position, Heard(record, lesson, observation)))
        self.groups.append(published.group)
        self.rewards.append(reward)
        while self._due and self._due[0][0] <= self._served:
            self._hear(heappop(self._due)[2])
        self._served += 1
        self._publish()

    def _hear(self, heard: Heard) -> None:
        self.state.learn(heard.observation)
        self.lessons += 1
        self._learned()
        self.standing.hear(heard)

    def _learned(self) -> None:
        self._position += 1
        self._version = self._position

    def _candidate(self) -> Published:
        snapshot = self.state.snapshot()
        places = {name: place for place, name in enumerate(snapshot.arms)}
        return Published(f"{LINEAGE}.{self._version}", LINEAGE, snapshot, places, self._position)

    def _publish(self) -> None:
        now = self._served * PACE_S + 1.0
        self._live = self.standing.admit(
            self._candidate(), self._live, rules=self._rules, lessons=self.lessons, now=now
        )
