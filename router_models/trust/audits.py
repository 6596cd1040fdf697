"""Audits: what the truth about an answer says of those who rated it, and whose truth would say most."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from router_models.policy import Vector
from router_models.trust.mixture import SLIP

MISTAKEN: Final = 0.05
"""How often an honest source says another thing than an audit."""


class Doubt(NamedTuple):
    """A word on an ``answer`` (16 bytes) that an audit would tell much of, the more the larger its ``worth``.

    ``source`` said ``reward`` of it; by all else that is known the answer is good with the chance ``expected``, and
    the source honest with the probability ``honesty``.
    """

    answer: bytes
    arm: str
    source: str
    reward: float
    expected: float
    honesty: float
    worth: float


def evidence(said: float, truth: float) -> Vector:
    """Log-likelihood ratios (2,) of wanting the answer's arm up, or down, against being honest, for one word on it.

    Both are in [0, 1]; a graded word stands for parts of a good one and of a bad one.
    """
    good = MISTAKEN + (1.0 - 2.0 * MISTAKEN) * truth
    always, never = math.log(1.0 - SLIP), math.log(SLIP)
    up = said * (always - math.log(good)) + (1.0 - said) * (never - math.log(1.0 - good))
    down = said * (never - math.log(good)) + (1.0 - said) * (always - math.log(1.0 - good))
    return np.array([up, down])


def worth(said: float, expected: float, honesty: float, targets: Vector) -> float:
    """How telling an audit would be: the chance that it shows a campaign's word, by how open the source's case is.

    ``targets`` (2,) are the probabilities that the arm is wanted up, or down.
    """
    up, down = targets
    shown = said * (1.0 - expected) * up + (1.0 - said) * expected * down
    return float(honesty * (1.0 - honesty) * shown)
