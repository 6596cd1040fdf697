"""Feedback, taken back; and answers judged by an admin, as a measure for everyone who rates."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import sqlalchemy as sa

from gateway.admin.orders import Note, Ordering, TenantName
from gateway.admin.quarantine import Looking
from gateway.controls import control
from gateway.errors import BadRequest, DecisionNotFound
from gateway.events import Audited, Decision, Feedback, FeedbackExcluded
from gateway.exchange import subject_of
from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.operations import get, post
from gateway.schema import events
from gateway.transaction import Transaction
from gateway.trust.doubtful import Doubtful, doubtful
from gateway.versions.version import name

#: A key, a key's end user (``key/user``), or all end users of a key (``key/``).
Source = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]

#: A moment, with its time zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class RevokeAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which feedback to take back: a tenant's, of these sources or of all, said in this time or ever.

    Without ``tenant``, everyone's, of a time.
    """

    tenant: TenantName | None = None
    sources: Annotated[list[Source], msgspec.Meta(min_length=1, max_length=1000)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    note: Note = ""


class RevokeDone(msgspec.Struct):
    """How many outcomes are concerned, and the version that was made by that."""

    outcomes: int
    version: str


class AuditAsked(msgspec.Struct, forbid_unknown_fields=True):
    """What an answer is worth, by its decision's id or its completion's."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]


class AuditDone(msgspec.Struct):
    """The decision, and the place in the log of what was said of it."""

    decision_id: str
    position: int


class InDoubt(msgspec.Struct):
    """Answers worth an audit, the most telling first."""

    answers: list[Doubtful]


class Judging(Ordering):
    """``/admin/v1/feedback/revoke``, ``/doubtful`` and ``/audit``."""

    @post("/admin/v1/feedback/revoke", "Take feedback back", asked=RevokeAsked, answer=RevokeDone, errors="404 503")
    async def revoke(self, principal: Principal, asked: RevokeAsked) -> RevokeDone:
        """What was learned becomes what it would be without; this answers once requests go by that."""
        if asked.tenant is None and (asked.sources is not None or asked.since is None):
            raise BadRequest("Say whose feedback to take back, by tenant, or everyone's since when.", param="tenant")
        tenant = self._whom(asked.tenant)
        first, last, outcomes = await asyncio.to_thread(self._told, asked)
        if not outcomes:
            raise BadRequest("There is no such feedback: nothing was taken back.")
        whose = [_identity(tenant, each) for each in asked.sources or ()]
        note = self._noted(principal, "feedback.revoke", tenant=tenant, sources=whose, outcomes=outcomes)

        def write(transaction: Transaction) -> int:
            event = FeedbackExcluded(first, last or transaction.position, "revoked", asked.sources, "", asked.note)
            position = control(transaction, event, tenant=tenant)
            note(transaction)
            return position

        position = await self._service.log.transact(write)
        await self._service.learner.settled()
        return RevokeDone(outcomes, name(self._service.learner.fold.lineage, position))

    @get("/admin/v1/feedback/doubtful", "List answers worth an audit", asked=Looking, answer=InDoubt, errors="404")
    async def doubtful(self, principal: Principal, asked: Looking) -> InDoubt:
        """Where the truth would tell most about those who rate: a word that is not expected, of a source in doubt."""
        tenant, fold = self._whose(asked.tenant), self._service.learner.fold
        return InDoubt(await asyncio.to_thread(doubtful, fold, tenant=tenant, limit=asked.limit))

    @post("/admin/v1/feedback/audit", "Judge an answer", asked=AuditAsked, answer=AuditDone, errors="404 503")
    async def audit(self, principal: Principal, asked: AuditAsked) -> AuditDone:
        """The truth that everyone who rated this answer is measured by."""
        subject = subject_of(asked.id) or b""

        def write(transaction: Transaction) -> int:
            decided = [each for each in transaction.about(subject) if isinstance(each.event, Decision)]
            if not decided:
                raise DecisionNotFound("There is no such decision.", param="id")
            transaction.append(Audited(asked.score), tenant=decided[0].tenant, subject=subject)
            position = transaction.position
            self._noted(principal, "feedback.audit", tenant=decided[0].tenant, position=position)(transaction)
            return position

        position = await self._service.log.transact(write)
        await self._service.learner.settled()
        return AuditDone(subject.hex(), position)

    def _told(self, asked: RevokeAsked) -> tuple[int, int, int]:
        """The first and last place that is meant, 0 for the log's end, and how many outcomes there are."""
        with self._service.engine.connect() as connection:
            first = 1 if asked.since is None else _place(connection, asked.since)
            last = 0 if asked.until is None else _place(connection, asked.until) - 1
            where = [events.c.kind == Feedback.kind, events.c.seq >= first]
            if asked.until is not None:
                where.append(events.c.seq <= last)
            if asked.tenant is not None:
                where.append(events.c.tenant == asked.tenant)
            if asked.sources is not None:
                where.append(_by(asked.sources))
            count = connection.execute(sa.select(sa.func.count()).select_from(events).where(*where)).scalar_one()
        return first, last, count


def _place(connection: sa.Connection, moment: datetime) -> int:
    """The place of the first event at ``moment`` or later; the log is in the order of time."""
    end = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0

    def at(place: int) -> int:
        query = sa.select(events.c.at).where(events.c.seq >= place).order_by(events.c.seq).limit(1)
        found: int = connection.execute(query).scalar_one()
        return found

    return bisect_left(range(1, end + 1), int(moment.timestamp() * 1e6), key=at) + 1


def _by(sources: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether one of these said it."""
    whole = [each for each in sources if not each.endswith("/")]
    keys = [sa.func.substr(events.c.source, 1, len(each)) == each for each in sources if each.endswith("/")]
    return sa.or_(events.c.source.in_(whole), *keys)


def _identity(tenant: str, source: str) -> Identity:
    """Who a source is; its name does not belong in the audit log."""
    key = source.removesuffix("/")
    return Identity(kind="user" if "/" in key else "key", tenant=tenant, name=key)
