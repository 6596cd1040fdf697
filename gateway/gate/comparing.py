"""Candidates and shadows held against what serves, on logged decisions that they had not learned from."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from gateway.fold import Fold
from gateway.gate.logged import Logged, comparable, decisions, outcomes, proposed
from gateway.publication import Published
from router_models.evaluation import NotComparable
from router_models.evaluation.decisions import Matrix
from router_models.gate import Comparison, compare


def candidate(
    engine: sa.Engine, fold: Fold, tenant: str, *, proposal: Published, live: Published, margin: float
) -> Comparison | None:
    """A candidate, on what came after it; ``None`` where nothing can be compared."""
    arms = live.snapshot.arms
    if proposal.snapshot.arms != arms:
        return None
    with engine.connect() as connection:
        logged, logging = comparable(outcomes(connection, fold, tenant, after=proposal.position), arms=arms)
    if not logged:
        return None
    target = proposed(proposal.snapshot.priced(live.snapshot), logged, logging)
    return _compared(logged, logging, target, proposed(live.snapshot, logged, logging), arms, margin)


def shadow(
    engine: sa.Engine, fold: Fold, tenant: str, *, after: int, arms: tuple[str, ...], margin: float
) -> Comparison | None:
    """What the shadow would have earned, by the probabilities that it gave when it was asked."""
    with engine.connect() as connection:
        asked = [each for each in outcomes(connection, fold, tenant, after=after) if each.decision.shadow]
    logged, logging = comparable([each for each in asked if not each.decision.group], arms=arms)
    if not logged:
        return None
    target = np.zeros_like(logging)
    places = {arm: place for place, arm in enumerate(arms)}
    for row, each in enumerate(logged):
        target[row, [places[arm] for arm in each.decision.arms]] = np.frombuffer(each.decision.shadow, "<f8")
    return _compared(logged, logging, target, logging, arms, margin)


def _compared(
    logged: list[Logged], logging: Matrix, target: Matrix, live: Matrix, arms: tuple[str, ...], margin: float
) -> Comparison | None:
    try:
        return compare(decisions(logged, logging, target, arms=arms), live=live, margin=margin)
    except NotComparable:
        return None
