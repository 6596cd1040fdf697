"""The log read for the gate: what was seen lately, and decisions with what came of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from gateway.events import Answer, Decision, Feedback
from gateway.fold import Fold
from gateway.hindsight import IMPLICIT
from gateway.schema import events
from gateway.transaction import read
from router_models.evaluation import Decisions
from router_models.evaluation.decisions import Matrix
from router_models.policy import Observation, Snapshot

LATEST: Final = 10_000
"""Rows of feedback that are read for what was seen lately."""

MOST: Final = 30_000
"""Rows that are read for a comparison: some ten thousand decisions."""


def observations(connection: sa.Connection, fold: Fold, tenants: Collection[str]) -> Iterator[tuple[str, Observation]]:
    """What these tenants said last that counts in this fold, oldest first, as (tenant, observation)."""
    kind, place = events.c.kind == Feedback.kind, events.c.seq
    since = connection.execute(sa.select(place).where(kind).order_by(place.desc()).offset(LATEST).limit(1)).scalar()
    mine = events.c.tenant.in_(list(tenants))
    for record in read(connection, kind, mine, place > (since or 0), place <= fold.position):
        event = record.event
        assert isinstance(event, Feedback)
        lesson = event.lesson
        if lesson is None or lesson.lineage != fold.lineage or fold.controls.excludes(record):
            continue
        features = np.frombuffer(lesson.features, "<f4")
        yield (
            record.tenant,
            Observation(
                arm=lesson.arm, features=features, reward=event.reward, weight=event.weight, previous=event.previous
            ),
        )


@dataclass(slots=True, kw_only=True)
class Logged:
    """A decision, and what each source said of it, as (reward, weight)."""

    decision: Decision
    fallback: bool = False
    rewards: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def reward(self) -> float | None:
        """What the sources say on average, by their weights; implicit outcomes are of faults alone, and left out."""
        told = [said for source, said in self.rewards.items() if not source.startswith(IMPLICIT)]
        weight = sum(weight for _, weight in told)
        return sum(reward * weight for reward, weight in told) / weight if weight > 0.0 else None


def outcomes(connection: sa.Connection, fold: Fold, tenant: str, *, after: int) -> list[Logged]:
    """Explored decisions of a tenant past ``after`` that a policy drew, and whose outcome is known."""
    found: dict[bytes | None, Logged] = {}
    mine = events.c.tenant == tenant
    last = sa.select(events.c.seq).where(mine, events.c.seq > after).order_by(events.c.seq.desc()).limit(MOST)
    for record in read(connection, mine, events.c.seq.in_(last)):
        event, logged = record.event, found.get(record.subject)
        if isinstance(event, Decision):
            if event.drawn and event.explore and event.features and event.lineage == fold.lineage:
                found[record.subject] = Logged(decision=event)
        elif logged is None:
            continue
        elif isinstance(event, Answer):
            logged.fallback = event.answered != logged.decision.chosen
        elif isinstance(event, Feedback) and not fold.controls.excludes(record):
            logged.rewards[record.source or ""] = (event.reward, event.weight)
    return [each for each in found.values() if each.reward is not None and not each.fallback]


def comparable(logged: Sequence[Logged], *, arms: Sequence[str]) -> tuple[list[Logged], Matrix]:
    """Those decisions among these arms (K) alone, and their logged probabilities (n, K)."""
    places = {arm: place for place, arm in enumerate(arms)}
    kept = [each for each in logged if places.keys() >= set(each.decision.arms)]
    logging = np.zeros((len(kept), len(arms)))
    for row, each in enumerate(kept):
        own = [places[arm] for arm in each.decision.arms]
        logging[row, own] = np.frombuffer(each.decision.probabilities, "<f8")
    return kept, logging


def proposed(snapshot: Snapshot, logged: Sequence[Logged], logging: Matrix) -> Matrix:
    """What a snapshot would have given the arms (n, K) that could be drawn."""
    features: npt.NDArray[np.float32] = np.array(
        [np.frombuffer(each.decision.features, "<f4") for each in logged], dtype=np.float32
    )
    return snapshot.propose_all(features, eligible=logging > 0.0).probabilities


def decisions(logged: Sequence[Logged], logging: Matrix, target: Matrix, *, arms: Sequence[str]) -> Decisions:
    """For off-policy evaluation."""
    places = {arm: place for place, arm in enumerate(arms)}
    return Decisions(
        contexts=np.array([np.frombuffer(each.decision.features, "<f4") for each in logged], dtype=np.float64),
        propensities=logging,
        chosen=np.array([places[each.decision.chosen] for each in logged]),
        rewards=np.array([each.reward for each in logged], dtype=np.float64),
        target=target,
    )
