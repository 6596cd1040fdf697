"""Answers worth an audit: where the truth would tell most about those who rate."""

from __future__ import annotations

from heapq import nlargest

import msgspec

from gateway.fold import Fold
from router_models.trust import Doubt


class Doubtful(msgspec.Struct, frozen=True, kw_only=True):
    """A ``source`` said ``reward`` of a decision's answer, which by all else that is known is good with the chance
    ``expected``; the source is honest with the probability ``honesty``. The larger ``worth``, the more an audit tells.
    """

    decision_id: str
    tenant: str
    model: str
    source: str
    reward: float
    expected: float
    honesty: float
    worth: float


def doubtful(fold: Fold, *, tenant: str | None, limit: int) -> list[Doubtful]:
    """The answers of a tenant, or of all, that an audit would tell most of, first things first."""
    if fold.judges.suspicion is None:
        return []
    states = fold.states.copy()
    found = [
        _shown(owner, doubt)
        for owner, own in states.items()
        if tenant in (None, owner)
        for doubt in own.trust.doubts(limit=limit)
    ]
    return nlargest(limit, found, key=lambda each: each.worth)


def _shown(tenant: str, doubt: Doubt) -> Doubtful:
    return Doubtful(
        decision_id=doubt.answer.hex(),
        tenant=tenant,
        model=doubt.arm,
        source=doubt.source,
        reward=doubt.reward,
        expected=doubt.expected,
        honesty=doubt.honesty,
        worth=doubt.worth,
    )
