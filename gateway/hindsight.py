"""A log read again with another policy: what it would have chosen, decision by decision.

The candidate learns from the log as the router did: at each decision it proposes by what it has learned so far, then
it is taught the same feedback. It never sees an outcome before it has been asked about that request.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
import structlog

from gateway.controls import Controls
from gateway.events import Answer, Decision, Feedback, LineageStarted, decode
from gateway.fold import Fold
from gateway.schema import events
from gateway.transaction import Record
from router_models import make
from router_models.drawing import drawn
from router_models.evaluation import Decisions
from router_models.policy import Policy, Vector

IMPLICIT: Final = "implicit:"
"""What the sources of implicit outcomes begin with; only faults have one, so they would bias an average."""

_logger = structlog.get_logger("polyculture.hindsight")


@dataclass(slots=True, kw_only=True)
class Replayed:
    """A logged decision and what the candidate would have done; ``rewards`` are (reward, weight) by source."""

    chosen: str
    features: npt.NDArray[np.float32]
    propensities: dict[str, float]
    target: dict[str, float]
    fallback: bool = False
    rewards: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def reward(self) -> float | None:
        """What the sources say on average, by their weights."""
        weight = sum(weight for _, weight in self.rewards.values())
        if not weight > 0.0:
            return None
        return sum(reward * weight for reward, weight in self.rewards.values()) / weight


class Hindsight:
    """Takes the log's records in order. ``settings`` are the candidate's hyperparameters.

    Where the log's own policy is asked about, its logged hyperparameters hold unless ``settings`` say otherwise.
    The candidate proposes by quality alone, whatever prices on money held. What ``controls`` exclude counts for
    nothing. Only the ``last`` decisions enter. ``left_out`` counts those that do not enter for other reasons.
    """

    def __init__(
        self,
        *,
        policy: str,
        settings: Mapping[str, Any],
        tenant: str | None = None,
        controls: Controls | None = None,
        last: int | None = None,
    ) -> None:
        self._controls = controls or Controls()
        self._fold = Fold(make_policy=partial(_candidate, policy, settings), controls=self._controls)
        self._tenant = tenant
        self._last = last
        self._replayed: dict[bytes, Replayed] = {}
        self.left_out: Counter[str] = Counter()

    def take(self, record: Record) -> None:
        """Read one record."""
        event = record.event
        if isinstance(event, LineageStarted) and self._replayed:
            self.left_out["in an earlier feature space"] += len(self._replayed)
            self._replayed.clear()
        if isinstance(event, Decision):
            record = record._replace(event=self._decided(record, event))
        elif record.subject in self._replayed:
            self._told(self._replayed[record.subject], record)
        if not self._fold.apply(record):
            self.left_out["that could not be learned from"] += 1

    def _decided(self, record: Record, event: Decision) -> Decision:
        """Ask the candidate; the decision as it would have been, by the number that was drawn."""
        if self._tenant is not None and record.tenant != self._tenant:
            return event
        reason = self._unusable(event)
        if reason is None and record.subject is not None:
            propensities = dict(zip(event.arms, np.frombuffer(event.probabilities, "<f8").tolist(), strict=True))
            drawable = {arm: chance for arm, chance in propensities.items() if chance > 0.0}
            snapshot = self._fold.state(record.tenant).snapshot()
            eligible = np.array([name in drawable for name in snapshot.arms])
            if len(event.arms) > 1 and len(drawable) == 1:
                reason = "not explored"
            elif eligible.sum() != len(drawable):
                reason = "with a model that has left"
            else:
                features = np.frombuffer(event.features, "<f4")
                probabilities = snapshot.propose(features, eligible=eligible).probabilities
                target = {name: float(p) for name, p in zip(snapshot.arms, probabilities, strict=True) if p > 0.0}
                self._replayed[record.subject] = Replayed(
                    chosen=event.chosen, features=features, propensities=drawable, target=target
                )
                if self._last is not None and len(self._replayed) > self._last:
                    del self._replayed[next(iter(self._replayed))]
                chosen = list(target)[drawn(np.array(list(target.values())), event.draw)]
                return msgspec.structs.replace(event, chosen=chosen)
        self.left_out[reason or "without an id"] += 1
        return event

    def _unusable(self, event: Decision) -> str | None:
        if not event.drawn:
            return event.reason
        if event.lineage != self._fold.lineage or not event.features:
            return "in an earlier feature space"
        return None

    def _told(self, replayed: Replayed, record: Record) -> None:
        event, source = record.event, record.source or ""
        if isinstance(event, Answer):
            replayed.fallback = event.answered != replayed.chosen
        elif isinstance(event, Feedback) and not source.startswith(IMPLICIT) and not self._controls.excludes(record):
            replayed.rewards[source] = (event.reward, event.weight)

    def decisions(self) -> Decisions | None:
        """What can be compared, ``None`` if there is nothing; the rest is counted in ``left_out``."""
        kept: list[tuple[Replayed, float]] = []
        for each in self._replayed.values():
            reward = each.reward
            if each.fallback:
                self.left_out["answered by a fallback"] += 1
            elif reward is None:
                self.left_out["without feedback"] += 1
            else:
                kept.append((each, reward))
        self._replayed.clear()
        return _decisions(kept) if kept else None


def _candidate(policy: str, settings: Mapping[str, Any], logged: str, **parameters: Any) -> Policy:
    """The candidate, otherwise set as the log's own policy is; but for a budget, which cannot be replayed."""
    inherited = {name: value for name, value in parameters.items() if name != "budget"} if logged == policy else {}
    return make(policy, **{**inherited, **settings})


def _decisions(kept: list[tuple[Replayed, float]]) -> Decisions:
    places = {arm: place for place, arm in enumerate(sorted({arm for each, _ in kept for arm in each.propensities}))}

    def row(probabilities: Mapping[str, float]) -> Vector:
        filled = np.zeros(len(places))
        filled[[places[arm] for arm in probabilities]] = list(probabilities.values())
        return filled

    return Decisions(
        contexts=np.array([each.features for each, _ in kept], dtype=np.float64),
        propensities=np.array([row(each.propensities) for each, _ in kept]),
        chosen=np.array([places[each.chosen] for each, _ in kept]),
        rewards=np.array([reward for _, reward in kept]),
        target=np.array([row(each.target) for each, _ in kept]),
    )


def everything(connection: sa.Connection) -> Iterator[Record]:
    """The log's records in order, whole, streamed; damaged ones are passed over.

    Raises :class:`gateway.events.UnknownEvent`.
    """
    query = sa.select(events).order_by(events.c.seq).execution_options(yield_per=1000)
    for rows in connection.execute(query).partitions():
        for seq, at, kind, tenant, subject, source, payload in rows:
            try:
                yield Record(seq, at, kind, tenant, subject, source, decode(kind, payload))
            except msgspec.DecodeError as error:
                _logger.error("event_damaged", seq=seq, kind=kind, error=str(error))


def setting(text: str) -> tuple[str, Any]:
    """``name=value``, the value as JSON where it is that, else as text. Raises ``ValueError``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is not of the form name=value")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
