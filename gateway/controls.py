"""What a log's control events say of all events before them: which feedback counts, and which policies learn.

The state of a log is ``fold(log)``: its control events are read first, then the rest is folded under them. A saved
state is labelled with a digest of the controls it was folded under, and is used only where that still fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from gateway.events import (
    CONTROLS,
    EVERYONE,
    POOL,
    Control,
    Erased,
    FeedbackExcluded,
    FeedbackReleased,
    PolicyChanged,
    ShadowSet,
)
from gateway.events import Exclusion as Reason
from gateway.schema import RARE, events
from gateway.transaction import Record, Transaction, read


class Exclusion(NamedTuple):
    """One ``FeedbackExcluded`` at ``seq``; it never reaches past its own place."""

    seq: int
    tenant: str
    first: int
    last: int
    sources: tuple[str, ...] | None
    reason: Reason

    @property
    def undoes(self) -> bool:
        """Whether it is a rollback."""
        return self.reason == "rolled_back"

    @property
    def single(self) -> bool:
        """Whether it leaves out one event and nothing else."""
        return self.first == self.last and self.sources is None and not self.undoes

    def covers(self, seq: int) -> bool:
        """Whether an event at this place lies in its range."""
        return self.first <= seq <= self.last

    def names(self, source: str | None) -> bool:
        """Whether it speaks of this source."""
        if self.sources is None:
            return True
        return source is not None and any(
            source.startswith(each) if each.endswith("/") else source == each for each in self.sources
        )


class _Held(NamedTuple):
    """A tenant's exclusions, quick to look through: none reaches past ``last``, most leave out a ``single`` event."""

    last: int
    single: dict[int, Exclusion]
    ranges: list[Exclusion]


class Controls:
    """The controls of a log's prefix. ``records`` are its control events, in log order."""

    def __init__(self, *, records: Iterable[Record] = ()) -> None:
        self._records = list(records)
        self._exclusions: list[Exclusion] = []
        self._policies: list[Record] = []
        self._shadows: dict[int, ShadowSet] = {}
        self._erased: list[int] = []
        self._holding: dict[str, list[Exclusion]] = {}
        self._sorted: dict[str, _Held] = {}
        for record in self._records:
            event = record.event
            if isinstance(event, FeedbackExcluded):
                self._exclusions.append(_exclusion(record, event))
            elif isinstance(event, PolicyChanged):
                self._policies.append(record)
            elif isinstance(event, ShadowSet):
                self._shadows[event.lineage] = event
            elif isinstance(event, Erased):
                self._erased.append(event.first)

    @classmethod
    def read(cls, connection: sa.Connection, *, upto: int | None = None) -> Controls:
        """Those of the log, or of its events up to ``upto``; quick, however long the log is."""
        within = [] if upto is None else [events.c.seq <= upto]
        return cls(records=read(connection, RARE, events.c.kind.in_(CONTROLS), *within))

    @property
    def last(self) -> int:
        """The place of the last of them; 0 where there is none."""
        return max((record.seq for record in self._records), default=0)

    def joined(self, record: Record) -> Controls:
        """These and one more, as if it came next."""
        return Controls(records=[*self._records, record])

    def excludes(self, record: Record) -> bool:
        """Whether this record of feedback, or of its release, does not count."""
        return self.excluding(record) is not None

    def excluding(self, record: Record) -> Exclusion | None:
        """What keeps this record of feedback, or of its release, from counting."""
        held = self._held(record.tenant)
        seq = record.event.seq if isinstance(record.event, FeedbackReleased) else record.seq
        if seq > held.last:
            return None
        for each in held.ranges:
            if (each.covers(seq) and each.names(record.source)) or (each.undoes and each.covers(record.seq)):
                return each
        return held.single.get(seq)

    def undoes(self, record: Record) -> bool:
        """Whether this change of a tenant's was rolled back."""
        return any(each.undoes and each.covers(record.seq) for each in self._held(record.tenant).ranges)

    def policy(self, lineage: int) -> PolicyChanged | None:
        """The policy that learns in this lineage, where it is not the one that the lineage started with."""
        for record in reversed(self._policies):
            event = record.event
            if isinstance(event, PolicyChanged) and event.lineage == lineage and not self.undoes(record):
                return event
        return None

    def shadow(self, lineage: int) -> ShadowSet | None:
        """The policy that learns beside it."""
        found = self._shadows.get(lineage)
        return found if found is not None and found.policy else None

    def holding(self, tenant: str) -> list[Exclusion]:
        """The exclusions that hold for a tenant: a rollback voids the earlier rollbacks in its range."""
        found = self._holding.get(tenant)
        if found is None:
            found = []
            for each in reversed(self._exclusions):
                voided = each.undoes and any(newer.undoes and newer.covers(each.seq) for newer in found)
                if each.tenant in (EVERYONE, tenant) and not voided:
                    found.append(each)
            self._holding[tenant] = found
        return found

    def _held(self, tenant: str) -> _Held:
        held = self._sorted.get(tenant)
        if held is None:
            single = {each.first: each for each in self.holding(tenant) if each.single}
            ranges = [each for each in self.holding(tenant) if not each.single]
            held = self._sorted[tenant] = _Held(self.last, single, ranges)
        return held

    def digest(self, *, position: int, tenants: Collection[str], lineage: int) -> str:
        """What the state of these tenants together depends on here at ``position``: equal digests, equal states."""
        held = [
            sorted(
                (each.first, min(each.last, position), each.sources is None, each.sources or (), each.undoes)
                for each in self.holding(tenant)
                if each.first <= position
            )
            for tenant in tenants
        ]
        policy = self.policy(lineage)
        erased = [first for first in self._erased if first <= position and POOL in tenants]
        said = [held, erased, None if policy is None else [policy.policy, policy.parameters]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def control(transaction: Transaction, event: Control, *, tenant: str = EVERYONE) -> int:
    """Log a control event: every writer of one goes by here. Returns its place.

    Raises ``ValueError`` for a range that is none.
    """
    if isinstance(event, FeedbackExcluded) and not 0 < event.first <= event.last <= transaction.position + 1:
        raise ValueError(f"events from {event.first} to {event.last} are no range of this log")
    transaction.append(event, tenant=tenant)
    return transaction.position


def _exclusion(record: Record, event: FeedbackExcluded) -> Exclusion:
    sources = None if event.sources is None else tuple(sorted(event.sources))
    last = min(event.last, record.seq - 1)
    return Exclusion(record.seq, record.tenant, event.first, last, sources, event.reason)
