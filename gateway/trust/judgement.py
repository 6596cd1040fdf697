"""What feedback counts, in the order of the log: the operator's own in full, an end user's as far as it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from gateway.events import Feedback, FeedbackReleased, Lesson, TrustTuned
from gateway.transaction import Record
from gateway.trust.credit import number
from router_models.policy import Observation, State
from router_models.suspicion import Suspicion
from router_models.trust import Claim, Trust, Verdict

IMPLICIT: Final = "implicit:"
"""What the sources of the gateway's own observations begin with."""

IN_FULL: Final = Verdict(1.0)

Told = Feedback | FeedbackReleased


class Judges(NamedTuple):
    """How feedback is judged: ``keys`` too, or end users alone; not at all without ``suspicion``."""

    suspicion: Suspicion | None = None
    keys: bool = False

    @classmethod
    def of(cls, said: tuple[Mapping[str, Any] | None, bool] | None) -> Judges:
        """The judges that :meth:`said` gave; nobody is judged where nothing was said."""
        parameters, keys = said or (None, False)
        return cls(None if parameters is None else Suspicion(**parameters), keys)

    @classmethod
    def told(cls, event: TrustTuned) -> Judges:
        """The judges that an event sets in."""
        return cls.of((json.loads(event.parameters) if event.parameters else None, event.keys))

    def said(self) -> tuple[Mapping[str, Any] | None, bool]:
        """What makes them again, JSON-ready."""
        return None if self.suspicion is None else self.suspicion.parameters, self.keys

    def doubts(self, source: str) -> bool:
        """Whether what this source says is judged."""
        return self.suspicion is not None and not source.startswith(IMPLICIT) and (self.keys or "/" in source)

    def brief(self, trust: Trust) -> Trust:
        """A tenant's judge, as distrustful as is asked for; what is saved of it does not tell."""
        trust.suspicion = self.suspicion or Suspicion()
        return trust

    def judge(
        self, trust: Trust, record: Record, event: Feedback, lesson: Lesson, state: Callable[[], State]
    ) -> Verdict:
        """The verdict on one outcome; ``state`` is what the policy had learned before it."""
        if self.suspicion is None or record.source is None:
            return IN_FULL
        self.brief(trust)
        judged = self.doubts(record.source)
        features = np.frombuffer(lesson.features, "<f4")
        expected = _expected(state(), lesson.arm, features) if judged else 0.0
        answer = record.subject or bytes(16)
        claim = Claim(record.source, lesson.arm, event.reward, expected, record.at / 1e6, answer, event.weight)
        return trust.judge(claim) if judged else trust.vouched(claim)


def taught(record: Record, lesson: Lesson, told: Told, verdict: Verdict, *, previous: float | None) -> Observation:
    """What feedback teaches by this verdict, in place of its source's ``previous`` word, which may have been judged."""
    named = verdict.honesty is not None or previous is not None
    return Observation(
        arm=lesson.arm,
        features=np.frombuffer(lesson.features, "<f4"),
        reward=told.reward,
        weight=told.weight * verdict.weight,
        previous=previous,
        source=number(record.tenant, record.source or "") if named else 0,
        honesty=1.0 if verdict.honesty is None else verdict.honesty,
    )


def _expected(state: State, arm: str, features: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    """The policy's mean for this arm; the middle for one that it does not know."""
    snapshot = state.snapshot()
    if arm not in snapshot.arms:
        return 0.5
    return float(snapshot.expected(features[None])[0, snapshot.arms.index(arm)])
