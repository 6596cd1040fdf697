"""Change of a level (a price, a latency): a CUSUM of ranks, which needs no distribution and minds no outliers.

Each value's rank among reference values of quiet times, as a normal score, is zero on average while nothing changes,
however the values are distributed (McDonald 1990). Two one-sided sums of scores beyond an allowance (Page 1954) tell
a change.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from statistics import NormalDist, fmean, median
from typing import Final, NamedTuple

import numpy as np

from router_models.policy import Arrays, InvalidState

REFERENCE: Final = 256
"""Values that are the reference: the first ones, and the first ones after a change."""

ALLOWANCE: Final = 0.6
THRESHOLD: Final = 24.0
"""No false alarm in a million values of any distribution tried, 2 in 100,000 where neighbours correlate by .5; values
that double against a spread of .8 on the log scale are noticed after about 80, values four times as large after 25.
"""

EXTREME: Final = 2.5
"""No score counts for more."""

SCORES: Final = tuple(
    min(max(NormalDist().inv_cdf((place + 0.5) / (REFERENCE + 1)), -EXTREME), EXTREME) for place in range(REFERENCE + 1)
)


class Change(NamedTuple):
    """A level changed, about ``since`` values ago, to ``ratio`` times what its median was; ``mean`` is theirs."""

    since: int
    ratio: float
    mean: float


class Level:
    """Takes the values of one level in order."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._reference: list[float] = []
        self._up = self._down = 0.0
        self._rising: list[float] = []
        self._falling: list[float] = []

    def update(self, value: float) -> Change | None:
        """Take one value; the change, if this makes it evident. A value that is not finite is passed over."""
        if not math.isfinite(value):
            return None
        if len(self._reference) < REFERENCE:
            insort(self._reference, value)
            return None
        score = self._score(value)
        self._up = _summed(self._up + score, self._rising, value)
        self._down = _summed(self._down - score, self._falling, value)
        if max(self._up, self._down) < THRESHOLD:
            return None
        recent = self._rising if self._up > self._down else self._falling
        change = Change(len(recent), median(recent) / max(median(self._reference), 1e-12), fmean(recent))
        self._begin()
        return change

    def _score(self, value: float) -> float:
        """Of the value's place in the reference; the middle one among equals."""
        return SCORES[(bisect_left(self._reference, value) + bisect_right(self._reference, value)) // 2]

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {
            "reference": np.array(self._reference),
            "sums": np.array([self._up, self._down]),
            "rising": np.array(self._rising),
            "falling": np.array(self._falling),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or :class:`InvalidState`."""
        found = [np.array(arrays[name], dtype=np.float64) for name in ("reference", "sums", "rising", "falling")]
        reference, sums, rising, falling = found
        shapes = [each.ndim for each in found] == [1] * 4 and len(sums) == 2 and len(reference) <= REFERENCE
        if not shapes or not all(np.isfinite(each).all() for each in found):
            raise InvalidState("these arrays are no level's")
        self._reference, (self._up, self._down) = sorted(reference.tolist()), sums.tolist()
        self._rising, self._falling = rising.tolist(), falling.tolist()


def _summed(total: float, recent: list[float], value: float) -> float:
    """One side's sum with its allowance taken off; ``recent`` are the values since it was last at zero."""
    total = max(total - ALLOWANCE, 0.0)
    if total:
        recent.append(value)
    else:
        recent.clear()
    return total
