"""Events as they are stored: each a msgpack array, so fields may only be added at its end."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.events import changes, controls, traffic
from gateway.events.event import Event


class UnknownEvent(LookupError):
    """A newer version wrote this event; folding without it would give another state than that version's."""


#: The control events by kind.
CONTROLS: dict[str, type[controls.Control]] = {
    kind.kind: kind for kind in (controls.FeedbackExcluded, controls.PolicyChanged, controls.ShadowSet, controls.Erased)
}

#: All events by kind.
TYPES: dict[str, type[Event]] = {
    **{kind.kind: kind for kind in (traffic.Decision, traffic.Answer)},
    **{kind.kind: kind for kind in (traffic.Feedback, traffic.FeedbackReleased, traffic.Audited)},
    **{kind.kind: kind for kind in (changes.LineageStarted, changes.ArmSet, changes.ArmRemoved)},
    **{kind.kind: kind for kind in (changes.PolicyTuned, changes.LearningFrozen, changes.Promoted)},
    **{kind.kind: kind for kind in (changes.PoolJoined, changes.StateImported, changes.Checkpoint, changes.TrustTuned)},
    changes.VectorsSettled.kind: changes.VectorsSettled,
    **CONTROLS,
}

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(type_) for kind, type_ in TYPES.items()
}
_heads = {
    **_decoders,
    **{kind.kind: msgspec.msgpack.Decoder(kind) for kind in (traffic.Draw, traffic.Payment)},
}


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
