"""The draw: one uniform number against a distribution, so that a logged number gives the same choice again."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from router_models.policy import Vector


def drawn(probabilities: Vector, number: float) -> int:
    """The place that ``number`` in [0, 1) falls on among ``probabilities`` (K,); one of no probability never is.

    Places of no probability may be left out or put in: the choice is the same.
    """
    place = bisect_right(list(accumulate(probabilities.tolist())), number)
    if place < len(probabilities):
        return place
    return int(np.flatnonzero(probabilities)[-1])  # the sum fell short of one by rounding
