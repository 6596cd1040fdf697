"""The learned state is a fold over the log: ``fold(events)``, and nothing else changes it.

The fold is deterministic, so a prefix of the log names a version. It reads logged decisions (what was chosen), answers
(what was paid) and feedback (what was learned); it never chooses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from gateway.events import (
    EVERYONE,
    Answer,
    ArmRemoved,
    ArmSet,
    Decision,
    Event,
    Feedback,
    LearningFrozen,
    LineageStarted,
    PolicyTuned,
)
from gateway.transaction import Record
from router_models.policy import Arm, Observation, Policy, State

#: Makes a policy from its name and its parameters as keywords.
PolicyMaker = Callable[..., Policy]


class Fold:
    """The state at ``position``: every tenant's learned state, the arms, and whether learning is frozen."""

    def __init__(self, *, make_policy: PolicyMaker) -> None:
        self._make_policy = make_policy
        self._apply: dict[type[Event], Callable[[Record, Any], None]] = {
            Decision: self._decided,
            Answer: self._answered,
            Feedback: self._fed_back,
            ArmSet: self._arm_set,
            ArmRemoved: self._arm_removed,
            LineageStarted: self._lineage_started,
            PolicyTuned: self._policy_tuned,
            LearningFrozen: self._learning_frozen,
        }
        self.policy: Policy | None = None
        self.started = LineageStarted(embedder="", dimensions=0, policy="", parameters="{}")
        self.position = 0
        self.lineage = 0
        self.frozen = False
        self.lessons = 0
        self.arms: dict[str, ArmSet] = {}
        self.states: dict[str, State] = {}
        self.learned: dict[str, int] = {}

    def apply(self, record: Record) -> None:
        """Fold the next record in."""
        self._apply[type(record.event)](record, record.event)
        self.position = record.seq

    def state(self, tenant: str) -> State:
        """A tenant's state; one without events yet knows the arms' priors, and is not kept.

        Raises ``LookupError`` before the first lineage.
        """
        if self.policy is None:
            raise LookupError("no lineage has started")
        return self.states.get(tenant) or self.policy.start(dimensions=self.started.dimensions, arms=self._priors())

    def version(self, tenant: str) -> str:
        """``<lineage>.<position>``: the last event that changed what this tenant's router knows."""
        return f"{self.lineage}.{max(self.learned.get(tenant, 0), self.learned.get(EVERYONE, 0))}"

    def start(self, lineage: int, started: LineageStarted) -> None:
        """Begin a feature space: a policy without outcomes or arms."""
        self.policy = self._make_policy(started.policy, **json.loads(started.parameters))
        self.started = started
        self.lineage = lineage
        self.arms = {}
        self.states = {}
        self.learned = {EVERYONE: lineage}

    def _own(self, tenant: str) -> State:
        state = self.states.get(tenant)
        if state is None:
            state = self.states[tenant] = self.state(tenant)
        return state

    def _priors(self) -> list[Arm]:
        return [Arm(name=arm.name, prior=np.frombuffer(arm.prior, "<f8")) for arm in self.arms.values()]

    def _decided(self, record: Record, event: Decision) -> None:
        if event.drawn and event.lineage == self.lineage:
            self._own(record.tenant).chose(event.chosen)

    def _answered(self, record: Record, event: Answer) -> None:
        if event.drawn and event.cost and self.policy is not None:
            self._own(record.tenant).paid(event.answered, event.cost)

    def _fed_back(self, record: Record, event: Feedback) -> None:
        lesson = event.lesson
        if self.frozen or lesson is None or lesson.lineage != self.lineage:
            return
        observation = Observation(
            arm=lesson.arm,
            features=np.frombuffer(lesson.features, "<f4"),
            reward=event.reward,
            weight=event.weight,
            previous=event.previous,
        )
        self._own(record.tenant).learn(observation)
        self.learned[record.tenant] = record.seq
        self.lessons += 1

    def _arm_set(self, record: Record, event: ArmSet) -> None:
        self.arms[event.name] = event
        for state in self.states.values():
            state.add(Arm(name=event.name, prior=np.frombuffer(event.prior, "<f8")))
        self.learned[EVERYONE] = record.seq

    def _arm_removed(self, record: Record, event: ArmRemoved) -> None:
        self.arms.pop(event.name, None)
        for state in self.states.values():
            state.remove(event.name)
        self.learned[EVERYONE] = record.seq

    def _lineage_started(self, record: Record, event: LineageStarted) -> None:
        self.start(record.seq, event)

    def _policy_tuned(self, record: Record, event: PolicyTuned) -> None:
        policy = self._make_policy(self.started.policy, **json.loads(event.parameters))
        self.states = {tenant: policy.load(state.arrays()) for tenant, state in self.states.items()}
        self.started = msgspec.structs.replace(self.started, parameters=event.parameters)
        self.policy = policy
        self.learned[EVERYONE] = record.seq

    def _learning_frozen(self, record: Record, event: LearningFrozen) -> None:
        self.frozen = event.frozen
