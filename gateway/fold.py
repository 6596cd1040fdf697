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
import structlog

from gateway.events import (
    EVERYONE,
    ArmRemoved,
    ArmSet,
    Draw,
    Feedback,
    LearningFrozen,
    LineageStarted,
    Payment,
    PolicyTuned,
)
from gateway.transaction import Record
from router_models.policy import Arm, Observation, Policy, State

#: Makes a policy from its name and its parameters as keywords.
PolicyMaker = Callable[..., Policy]

_logger = structlog.get_logger("polyculture.fold")


class Fold:
    """The state at ``position``: every tenant's learned state, the arms, and whether learning is frozen.

    ``base`` is the position of the saved fold that this one went on from.
    """

    def __init__(self, *, make_policy: PolicyMaker) -> None:
        self._make_policy = make_policy
        self._apply: dict[str, Callable[[Record, Any], None]] = {
            Draw.kind: self._decided,
            Payment.kind: self._answered,
            Feedback.kind: self._fed_back,
            ArmSet.kind: self._arm_set,
            ArmRemoved.kind: self._arm_removed,
            LineageStarted.kind: self._lineage_started,
            PolicyTuned.kind: self._policy_tuned,
            LearningFrozen.kind: self._learning_frozen,
        }
        self.policy: Policy | None = None
        self.started = LineageStarted(embedder="", dimensions=0, policy="", parameters="{}")
        self.position = 0
        self.base = 0
        self.lineage = 0
        self.frozen = False
        self.lessons = 0
        self.arms: dict[str, ArmSet] = {}
        self.states: dict[str, State] = {}
        self.learned: dict[str, int] = {}

    def apply(self, record: Record) -> bool:
        """Fold the next record in; ``False`` for an event that cannot be used, which every fold passes over alike."""
        self.position = record.seq
        try:
            self._apply.get(record.kind, _nothing)(record, record.event)
        except Exception:
            _logger.exception("event_not_folded", seq=record.seq, kind=record.kind)
            return False
        return True

    def state(self, tenant: str) -> State:
        """A tenant's state; one without events yet knows the arms' priors, and is not kept.

        Raises ``LookupError`` before the first lineage.
        """
        if self.policy is None:
            raise LookupError("no lineage has started")
        state = self.states.get(tenant)
        if state is None:
            return self.policy.start(dimensions=self.started.dimensions, arms=self._priors())
        return state

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
        return [_arm(event) for event in self.arms.values()]

    def _decided(self, record: Record, event: Draw) -> None:
        if event.drawn and event.lineage == self.lineage:
            self._own(record.tenant).chose(event.chosen)

    def _answered(self, record: Record, event: Payment) -> None:
        if event.drawn and event.cost is not None and self.policy is not None:
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
        arm = _arm(event)
        if arm.prior.shape != (self.started.dimensions,) or not np.isfinite(arm.prior).all():
            raise ValueError(f"the prior of {event.name!r} does not fit this lineage")
        self.arms[event.name] = event
        for state in self.states.values():
            state.add(arm)
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


def _nothing(record: Record, event: Any) -> None:
    """Events that the fold does not read."""


def _arm(event: ArmSet) -> Arm:
    return Arm(name=event.name, prior=np.frombuffer(event.prior, "<f8"))
