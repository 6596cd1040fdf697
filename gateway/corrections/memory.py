"""One tenant's corrections, and which of them are near a request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.transaction import Record

Direction = npt.NDArray[np.float32]


class Correction(NamedTuple):
    """A correction, where it stands in the log, and the direction (p,) of the request that it was about.

    What corrects an answer to a ``private`` request is told with private requests alone.
    """

    record: Record
    text: str
    direction: Direction
    private: bool = False


class Memory:
    """The latest ``most`` corrections. Each source has one word on each decision: its last."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[bytes | None, str | None], Correction] = OrderedDict()
        self._directions: Direction | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._kept.values())

    def keep(self, correction: Correction) -> None:
        """Put in a source's word on a decision; the oldest corrections leave where there are too many."""
        self.drop(correction.record)
        self._kept[_key(correction.record)] = correction
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        self._directions = None

    def drop(self, record: Record) -> None:
        """Take out what this record's source said before of its decision."""
        if self._kept.pop(_key(record), None) is not None:
            self._directions = None

    def near(self, direction: Direction, *, similarity: float) -> list[Correction]:
        """The corrections whose requests are at least so similar (cosine), the nearest first."""
        if not self._kept:
            return []
        if self._directions is None:
            self._directions = np.array([each.direction for each in self])
        cosines = self._directions @ direction
        places = np.flatnonzero(cosines >= similarity)
        if not places.size:
            return []
        everything = list(self)
        return [everything[place] for place in places[np.argsort(-cosines[places], kind="stable")]]


def _key(record: Record) -> tuple[bytes | None, str | None]:
    return record.subject, record.source


def direction_of(features: bytes, *, width: int) -> Direction | None:
    """The direction of a decision's embedding part, ``width`` entries after the first; ``None`` where it has none."""
    part = np.frombuffer(features, "<f4")[1 : 1 + width]
    length = np.linalg.norm(part)
    return (part / length).astype(np.float32) if length > 0 else None
