"""Non-inferiority: what a candidate would have earned on recent logged decisions, less what the live version would.

Both are evaluated on the same log by the same reward model (:mod:`router_models.evaluation.penalised`), so what they
have in common cancels out: where they would choose alike, nothing is uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from router_models.evaluation.decisions import Decisions, Matrix, Z
from router_models.evaluation.penalised import contrast

Verdict = Literal["promote", "refuse", "undecided"]

LEAST: Final = 200
"""Decisions below which nothing is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The candidate's value less the live version's, with its 95 % confidence interval, from ``decisions`` of which
    the candidate would have made as many as the ``effective_sample_size``.
    """

    verdict: Verdict
    value: float
    low: float
    high: float
    decisions: int
    effective_sample_size: float


def compare(decisions: Decisions, *, live: Matrix, margin: float) -> Comparison:
    """Compare ``decisions.target``, the candidate, with ``live`` (n, K).

    Promoted, where it is no more than ``margin`` worse, even at the interval's lower end; refused, where it is worse
    by more even at the upper end. Raises :class:`router_models.evaluation.NotComparable`.
    """
    value, error = contrast(decisions, live)
    low, high = (float(each) for each in np.clip((value - Z * error, value + Z * error), -1.0, 1.0))
    weights = decisions.weights
    squares = float(weights @ weights)
    return Comparison(
        verdict=_verdict(len(decisions), low, high, margin),
        value=float(np.clip(value, -1.0, 1.0)),
        low=low,
        high=high,
        decisions=len(decisions),
        effective_sample_size=float(weights.sum()) ** 2 / squares if squares else 0.0,
    )


def _verdict(decisions: int, low: float, high: float, margin: float) -> Verdict:
    if decisions < LEAST:
        return "undecided"
    if low >= -margin:
        return "promote"
    return "refuse" if high < -margin else "undecided"
