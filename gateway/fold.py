"""The learned state is a fold over the log: ``fold(events)``, and nothing else changes it.

The fold is deterministic, so a prefix of the log names a version. It reads logged decisions (what was chosen), answers
(what was paid) and feedback (what was learned), under the log's controls; it never chooses.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
import structlog

from gateway.checkpoint import kept
from gateway.controls import Controls
from gateway.events import (
    EVERYONE,
    POOL,
    ArmRemoved,
    ArmSet,
    Audited,
    Checkpoint,
    Draw,
    Erased,
    Feedback,
    FeedbackExcluded,
    FeedbackReleased,
    LearningFrozen,
    Lesson,
    LineageStarted,
    Payment,
    PolicyChanged,
    PolicyTuned,
    PoolJoined,
    StateImported,
    TrustTuned,
)
from gateway.tenants import Named, PolicyMaker, Tenants, arm, named
from gateway.transaction import Record
from gateway.trust.judgement import IN_FULL, Judges, Told, taught
from gateway.versions.exported import exported
from router_models.alarm import Alarm
from router_models.policy import Observation
from router_models.trust import Verdict

_logger = structlog.get_logger("polyculture.fold")


#: Outcomes and alarms that wait to be taken; older ones are dropped.
MEMORY = 4096


class Heard(NamedTuple):
    """An outcome that counted: the record that told it, what it teaches, and what was learned of it."""

    record: Record
    lesson: Lesson
    observation: Observation


class Fold(Tenants):
    """The state at ``position``: every tenant's, and for whom learning is frozen (``freezes``).

    ``learned`` are the positions of the last events that changed what a tenant's router knows. ``base`` is that of the
    saved fold that this one went on from, and ``saved`` the labels that it had, until its controls are known. What
    counted lately is ``heard``, and what was found to have changed ``alarms``, for whoever takes them; they are no part
    of the state.
    """

    def __init__(self, *, make_policy: PolicyMaker, controls: Controls | None = None) -> None:
        super().__init__(make_policy=make_policy)
        self._apply: dict[str, Callable[[Record, Any], None]] = {
            Draw.kind: self._decided,
            Payment.kind: self._answered,
            Feedback.kind: self._fed_back,
            FeedbackReleased.kind: self._released,
            ArmSet.kind: self._arm_set,
            ArmRemoved.kind: self._arm_removed,
            LineageStarted.kind: self._lineage_started,
            PolicyTuned.kind: self._policy_tuned,
            PoolJoined.kind: self._pool_joined,
            StateImported.kind: self._state_imported,
            Checkpoint.kind: self._checkpointed,
            LearningFrozen.kind: self._learning_frozen,
            Audited.kind: self._audited,
            TrustTuned.kind: self._trust_tuned,
            **dict.fromkeys((FeedbackExcluded.kind, PolicyChanged.kind, Erased.kind), self._controlled),
        }
        self.controls = controls or Controls()
        self.position = 0
        self.base = 0
        self.freezes: set[str] = set()
        self.judges = Judges()
        self.learned: dict[str, int] = {}
        self.saved: dict[str, str] | None = None
        self.heard: deque[Heard] = deque(maxlen=MEMORY)
        self.alarms: deque[tuple[Record, Alarm]] = deque(maxlen=MEMORY)

    @property
    def frozen(self) -> bool:
        """Whether nobody learns."""
        return EVERYONE in self.freezes

    @property
    def lessons(self) -> int:
        """Feedback that counted."""
        return sum(state.lessons for state in self.states.values())

    def is_frozen(self, tenant: str) -> bool:
        """Whether this tenant's router does not learn."""
        return self.frozen or tenant in self.freezes

    def withholds(self, record: Record) -> bool:
        """Whether this feedback is its source's last word on its decision, and does not count."""
        own = self.states.get(record.tenant)
        return own is not None and own.withheld.holds(record, record.seq)

    def apply(self, record: Record) -> bool:
        """Fold the next record in; ``False`` for an event that cannot be used, which every fold passes over alike."""
        self.position = record.seq
        try:
            self._apply.get(record.kind, _pass)(record, record.event)
        except Exception:
            _logger.exception("event_not_folded", seq=record.seq, kind=record.kind)
            return False
        return True

    def version(self, tenant: str) -> str:
        """``<lineage>.<position>``: the last event that changed what this tenant's router knows."""
        known = [EVERYONE, tenant] if self.begun(tenant) or self.source(tenant) is None else [EVERYONE, tenant, POOL]
        return f"{self.lineage}.{max(self.learned.get(each, 0) for each in known)}"

    def label(self, tenant: str, controls: Controls) -> str:
        """What of ``controls`` this tenant's state depends on: while it stays the same, so does the state."""
        return controls.digest(position=self.position, tenants=self.circle(tenant), lineage=self.lineage)

    def labels(self) -> dict[str, str]:
        """Everyone's label under the controls that this was folded under."""
        if self.saved is not None:
            return self.saved
        return {tenant: self.label(tenant, self.controls) for tenant in (EVERYONE, *self.states, *self.learned)}

    def stale(self, controls: Controls) -> set[str]:
        """Those whose state is another one under these controls; all where ``EVERYONE`` is among them."""
        found = {tenant for tenant, label in self.labels().items() if label != self.label(tenant, controls)}
        shadow = controls.shadow(self.lineage)
        return found | {EVERYONE} if shadow is not None and named(shadow) != self.second else found

    def govern(self, controls: Controls) -> None:
        """Go on under these controls, by which nobody's state is stale."""
        self.controls, self.saved = controls, None
        if controls.shadow(self.lineage) is None:
            self.follow_alone()

    def adopt(self, other: Fold, tenants: Collection[str]) -> None:
        """Take these tenants' states from another fold of the same log, at the same position."""
        for tenant in tenants:
            self.states.pop(tenant, None)
            self.learned.pop(tenant, None)
            if tenant in other.states:
                self.states[tenant] = other.states[tenant]
            if tenant in other.learned:
                self.learned[tenant] = other.learned[tenant]

    def forget(self, tenants: Collection[str]) -> None:
        """Drop all that is known of these."""
        super().forget(tenants)
        for tenant in tenants:
            self.learned.pop(tenant, None)
            self.freezes.discard(tenant)
            if self.saved is not None:
                self.saved.pop(tenant, None)

    def _decided(self, record: Record, event: Draw) -> None:
        if event.drawn and event.lineage == self.lineage:
            self.own(record.tenant).update(lambda state: state.chose(event.chosen))

    def _answered(self, record: Record, event: Payment) -> None:
        cost = event.cost
        if event.drawn and cost is not None and self.policy is not None:
            self.alarms.extend((record, alarm) for alarm in self.own(record.tenant).paid(event.answered, cost))

    def _fed_back(self, record: Record, event: Feedback) -> None:
        lesson = event.lesson
        if lesson is None or lesson.lineage != self.lineage:
            return
        if self.is_frozen(record.tenant) or self.controls.excludes(record):
            self.beside(record.tenant).withheld.hold(record, event.previous)
            return
        own = self.own(record.tenant)
        verdict = self.judges.judge(own.trust, record, event, lesson, partial(self.state, record.tenant))
        if verdict.honesty is not None:
            self._reweigh(record)
        if verdict.reason is not None:
            own.quarantine.put(record.seq, verdict.reason)
            own.withheld.hold(record, event.previous)
        else:
            self._teach(record, lesson, event, verdict, event.previous)

    def _audited(self, record: Record, event: Audited) -> None:
        if record.subject is not None:
            self.judges.brief(self.beside(record.tenant).trust).audited(record.subject, event.reward)
            if not self.is_frozen(record.tenant):
                self._reweigh(record)

    def _trust_tuned(self, record: Record, event: TrustTuned) -> None:
        self.judges = Judges.told(event)

    def _released(self, record: Record, event: FeedbackReleased) -> None:
        held = self.beside(record.tenant).withheld.holds(record, event.seq)
        counts = held and event.lesson.lineage == self.lineage and not self.is_frozen(record.tenant)
        if counts and not self.controls.excludes(record):
            own = self.beside(record.tenant)
            own.quarantine.take(event.seq)
            self.judges.brief(own.trust).pardoned(record.source or "")
            self._reweigh(record)
            self._teach(record, event.lesson, event, IN_FULL, None)

    def _reweigh(self, record: Record) -> None:
        """Where sources were reviewed just now, what they said before counts as they are believed now."""
        self.learned.update(dict.fromkeys(self.reweigh(record.tenant), record.seq))

    def _teach(self, record: Record, lesson: Lesson, told: Told, verdict: Verdict, previous: float | None) -> None:
        own = self.own(record.tenant)
        observation = taught(record, lesson, told, verdict, previous=own.withheld.free(record, previous))
        self.alarms.extend((record, alarm) for alarm in own.learn(observation))
        self.heard.append(Heard(record, lesson, observation))
        self.learned[record.tenant] = record.seq
        if self.membership(record.tenant).gives:
            self.own(POOL).update(lambda state: state.learn(observation))
            self.learned[POOL] = record.seq

    def _arm_set(self, record: Record, event: ArmSet) -> None:
        new = arm(event)
        if new.prior.shape != (self.started.dimensions,) or not np.isfinite(new.prior).all():
            raise ValueError(f"the prior of {event.name!r} does not fit this lineage")
        self.arms[event.name] = event
        for own in self.states.values():
            own.update(lambda state: state.add(new))
        self.learned[EVERYONE] = record.seq

    def _arm_removed(self, record: Record, event: ArmRemoved) -> None:
        self.arms.pop(event.name, None)
        for own in self.states.values():
            own.remove(event.name)
        self.learned[EVERYONE] = record.seq

    def _lineage_started(self, record: Record, event: LineageStarted) -> None:
        changed, shadow = self.controls.policy(record.seq), self.controls.shadow(record.seq)
        self.follow(named(changed or event), None if shadow is None else named(shadow))
        self.begin(record.seq, event)
        self.learned = {EVERYONE: record.seq}

    def _policy_tuned(self, record: Record, event: PolicyTuned) -> None:
        """Where another policy than the declared one learns, it takes what was declared anew and it knows."""
        live = Named(self.started.policy, event.parameters)
        if self.policy is not None and self.controls.policy(self.lineage) is not None:
            before, after = json.loads(self.started.parameters), json.loads(event.parameters)
            anew = {name for name in after.keys() & self.policy.parameters.keys() if after[name] != before.get(name)}
            parameters = {**json.loads(self.live.parameters), **{name: after[name] for name in anew}}
            live = Named(self.live.policy, json.dumps(parameters, sort_keys=True))
        self.tune(live)
        self.started = msgspec.structs.replace(self.started, parameters=event.parameters)
        self.learned[EVERYONE] = record.seq

    def _pool_joined(self, record: Record, event: PoolJoined) -> None:
        self.pool[record.tenant] = self.membership(record.tenant).after(event)
        self.learned[record.tenant] = record.seq

    def _state_imported(self, record: Record, event: StateImported) -> None:
        if not self.controls.undoes(record):
            found = exported(event.archive)
            self.bring(record.tenant, found.manifest.policy, found.arrays)
            self.learned[record.tenant] = record.seq

    def _checkpointed(self, record: Record, event: Checkpoint) -> None:
        found = kept(event)
        shadow = None if found.shadow is None else found.shadow.policy
        self.put(record.tenant, found.arrays, policy=found.policy.policy, shadow=shadow)
        if found.learned:
            self.learned[record.tenant] = found.learned

    def _learning_frozen(self, record: Record, event: LearningFrozen) -> None:
        (self.freezes.add if event.frozen else self.freezes.discard)(record.tenant)

    def _controlled(self, record: Record, event: Any) -> None:
        """What it says is known from the start; here it makes a version."""
        for tenant in self.affected(POOL if isinstance(event, Erased) else record.tenant):
            self.learned[tenant] = record.seq


def _pass(record: Record, event: Any) -> None:
    """Events that the fold does not read."""
