"""What is logged: append-only events, the system's only truth.

Each event is a msgpack array with the fields that the fold reads first. Fields are only ever added at the end, with
a default, so that old logs stay readable. Vectors travel as little-endian bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt

Reason = Literal["policy", "prior", "forced"]

#: The tenant of events that concern every tenant.
EVERYONE = ""


class UnknownEvent(LookupError):
    """A newer version wrote this event; folding without it would give another state than that version's."""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Base of all events; ``kind`` names the type in the log."""

    kind: ClassVar[str]


class Draw(Event, frozen=True):
    """A decision's first fields, which are all that the fold reads of it."""

    kind = "decision"
    chosen: str
    reason: Reason
    lineage: int

    @property
    def drawn(self) -> bool:
        """Whether the policy drew it: forced choices count for nothing."""
        return self.reason != "forced"


class Decision(Draw, frozen=True):
    """A request was given to a model. Probabilities are float64, scores and features float32."""

    version: str
    arms: list[str]
    probabilities: bytes
    scores: bytes
    draw: float
    features: bytes
    key: str
    endpoint: str
    preference: str
    excluded: dict[str, str]

    def propensity(self) -> float:
        """The probability with which the chosen model was drawn; 1 where it was forced."""
        if not self.drawn:
            return 1.0
        return float(np.frombuffer(self.probabilities, "<f8")[self.arms.index(self.chosen)])


class Payment(Event, frozen=True):
    """An answer's first fields, which are all that the fold reads of it. Cost in USD."""

    kind = "answer"
    answered: str
    cost: float | None
    drawn: bool


class Answer(Payment, frozen=True):
    """A decision's request ended. Latencies in seconds, ``status`` as the client saw it."""

    status: int
    latency: float
    first_byte: float | None
    input_tokens: int | None
    output_tokens: int | None
    failed: list[str]


class Lesson(msgspec.Struct, frozen=True, array_like=True):
    """What an outcome teaches: this arm, at these features, in this space (lineage)."""

    arm: str
    features: bytes
    lineage: int


class Feedback(Event, frozen=True):
    """An outcome of a decision: reward in [0, 1]; ``previous`` is what the same source said before."""

    kind = "feedback"
    reward: float
    weight: float
    previous: float | None
    lesson: Lesson | None
    metric: str | None = None
    value: float | None = None
    comment: str | None = None
    correction: str | None = None


class ArmSet(Event, frozen=True):
    """A model joined, or its card's meaning changed: ``prior`` (d,) float64, ``digest`` of the texts behind it."""

    kind = "arm_set"
    name: str
    prior: bytes
    digest: str


class ArmRemoved(Event, frozen=True):
    """A model left; its history stays in the log."""

    kind = "arm_removed"
    name: str


class LineageStarted(Event, frozen=True):
    """A new feature space or policy: nothing learned before applies. ``parameters`` is JSON."""

    kind = "lineage_started"
    embedder: str
    dimensions: int
    policy: str
    parameters: str


class PolicyTuned(Event, frozen=True):
    """The policy's hyperparameters changed; what was learned goes on under the new ones. ``parameters`` is JSON."""

    kind = "policy_tuned"
    parameters: str


class LearningFrozen(Event, frozen=True):
    """Learning stopped (or went on): feedback is kept, and not folded while frozen."""

    kind = "learning_frozen"
    frozen: bool


TYPES: dict[str, type[Event]] = {
    kind.kind: kind
    for kind in (Decision, Answer, Feedback, ArmSet, ArmRemoved, LineageStarted, PolicyTuned, LearningFrozen)
}

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(type_) for kind, type_ in TYPES.items()
}
_heads = {**_decoders, Draw.kind: msgspec.msgpack.Decoder(Draw), Payment.kind: msgspec.msgpack.Decoder(Payment)}


def encode(event: Event) -> bytes:
    """The event as stored."""
    return _encoder.encode(event)


def decode(kind: str, payload: bytes, *, head: bool = False) -> Event:
    """The event that was stored; of decisions and answers only the ``head`` where that is enough, which is quick.

    Raises :class:`UnknownEvent`, and ``msgspec.DecodeError`` on damage.
    """
    decoder = (_heads if head else _decoders).get(kind)
    if decoder is None:
        raise UnknownEvent(f"the log holds events of kind {kind!r}, which only a newer version knows: upgrade to it")
    event: Event = decoder.decode(payload)
    return event


def doubles(values: npt.ArrayLike) -> bytes:
    """A vector as stored, float64."""
    return np.asarray(values, "<f8").tobytes()


def singles(values: npt.ArrayLike) -> bytes:
    """A vector as stored, float32."""
    return np.asarray(values, "<f4").tobytes()
