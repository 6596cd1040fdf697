"""Feedback that is in the log and does not count: excluded, or not released yet."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np

from gateway.transaction import Record
from router_models.policy import Arrays


class Held(NamedTuple):
    """A source's last word on a decision, at ``seq``; ``before`` is its word that counts in place of that one."""

    seq: int
    before: float | None


class Withheld:
    """Who said what does not count, of which decision, so that what they say next amends only what counts."""

    def __init__(self) -> None:
        self._held: dict[bytes, Held] = {}

    def hold(self, record: Record, previous: float | None) -> None:
        """Keep feedback from counting; ``previous`` is what its source had said before, by the log."""
        name = _name(record)
        known = self._held.get(name)
        self._held[name] = Held(record.seq, previous if known is None else known.before)

    def holds(self, record: Record, seq: int) -> bool:
        """Whether the feedback at ``seq`` is the last word of this record's source on its decision, and held."""
        known = self._held.get(_name(record))
        return known is not None and known.seq == seq

    def free(self, record: Record, previous: float | None) -> float | None:
        """Let this record count: the reward that it takes the place of. Nothing of its source is held any more."""
        if not self._held:
            return previous
        known = self._held.pop(_name(record), None)
        return previous if known is None else known.before

    def arrays(self) -> Arrays:
        """``names`` (n, 16) are hashes, ``places`` (n,) positions in the log, ``before`` (n,) rewards or nan."""
        held = list(self._held.values())
        return {
            "names": np.frombuffer(b"".join(self._held), np.uint8).reshape(-1, 16),
            "places": np.array([each.seq for each in held], np.int64),
            "before": np.array([math.nan if each.before is None else each.before for each in held]),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or ``ValueError``."""
        names, places, before = arrays["names"], arrays["places"], arrays["before"]
        if names.dtype != np.uint8 or names.shape != (len(places), 16) or before.shape != places.shape:
            raise ValueError("what is withheld does not fit together")
        held = zip(names, places.tolist(), before.tolist(), strict=True)
        self._held = {name.tobytes(): Held(seq, None if math.isnan(reward) else reward) for name, seq, reward in held}


def _name(record: Record) -> bytes:
    """The source and the decision, together, as 16 bytes."""
    return hashlib.blake2b((record.subject or b"") + (record.source or "").encode(), digest_size=16).digest()
