"""Another policy before the log: what it would have earned on the same requests, and whether that will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from gateway.controls import Controls
from gateway.events import CONTROLS, ShadowSet
from gateway.hindsight import Hindsight, everything
from gateway.schema import RARE, events
from gateway.transaction import read
from router_models.evaluation import Decisions, Estimate, NotComparable, ips, recommended
from router_models.gate import Verdict, compare

ENOUGH: Final = 100
"""Decisions with feedback below which no estimate is given."""

MARGIN: Final = 0.01
"""How much worse a candidate may be, in reward, and still pass for no worse."""


class Earned(msgspec.Struct):
    """Mean reward (or a difference of two), with its 95 % confidence interval."""

    value: float
    low: float
    high: float


class Judgement(msgspec.Struct):
    """What was found; estimates only where there were ``decisions`` enough for an honest one.

    ``verdict`` is of ``difference``, the candidate's less the log's. ``left_out`` counts decisions that cannot be
    compared, by reason.
    """

    policy: str
    decisions: int
    left_out: dict[str, int]
    verdict: Verdict = "undecided"
    logged: Earned | None = None
    candidate: Earned | None = None
    difference: Earned | None = None
    effective_sample_size: float = 0.0
    largest_weight: float = 0.0


def judge(
    connection: sa.Connection,
    *,
    policy: str,
    settings: Mapping[str, Any],
    tenant: str | None = None,
    last: int | None = None,
    margin: float = MARGIN,
    progress: Callable[[int], None] = lambda seq: None,
) -> Judgement:
    """Take the policy through the whole log, and judge it by all decisions or the ``last``. Raises ``UnknownEvent``."""
    hindsight = Hindsight(policy=policy, settings=settings, tenant=tenant, controls=_controls(connection), last=last)
    for record in everything(connection):
        hindsight.take(record)
        progress(record.seq)
    found = hindsight.decisions()
    judgement = Judgement(policy, 0 if found is None else len(found), dict(sorted(hindsight.left_out.items())))
    if found is not None and len(found) >= ENOUGH:
        _compare(judgement, found, margin)
    return judgement


def _compare(judgement: Judgement, found: Decisions, margin: float) -> None:
    """Fill the estimates in; they stay out where the log cannot tell."""
    try:
        candidate, comparison = recommended(found), compare(found, live=found.propensities, margin=margin)
    except NotComparable:
        return
    judgement.verdict = comparison.verdict
    judgement.logged = _earned(ips(found.with_target(found.propensities)))
    judgement.candidate = _earned(candidate)
    judgement.difference = Earned(comparison.value, comparison.low, comparison.high)
    judgement.effective_sample_size = candidate.effective_sample_size
    judgement.largest_weight = candidate.largest_weight


def _controls(connection: sa.Connection) -> Controls:
    """What holds of the log's past; nothing need learn beside the candidate."""
    kinds = CONTROLS.keys() - {ShadowSet.kind}
    return Controls(records=read(connection, RARE, events.c.kind.in_(kinds)))


def _earned(estimate: Estimate) -> Earned:
    return Earned(estimate.value, estimate.low, estimate.high)
