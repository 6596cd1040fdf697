"""What an admin does about feedback that is withheld: look at it, release or reject it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import sqlalchemy as sa

from gateway.controls import control
from gateway.events import Feedback, FeedbackExcluded, FeedbackReleased
from gateway.learner import Learner
from gateway.log import Log
from gateway.schema import events
from gateway.transaction import Record, Transaction, read
from gateway.versions.versions import Also


class NoSuchFeedback(LookupError):
    """There is no such feedback, or it is not withheld."""


class Withheld(msgspec.Struct):
    """One outcome in quarantine: ``seq`` is its name."""

    seq: int
    tenant: str
    source: str
    decision_id: str
    at: float
    reward: float
    model: str
    reason: str
    honesty: float


class Orders:
    """Orders over a running gateway. Each raises :class:`gateway.log.LogUnavailable`."""

    def __init__(self, *, engine: sa.Engine, log: Log, learner: Learner) -> None:
        self._engine = engine
        self._log = log
        self._learner = learner

    def quarantined(self, *, tenant: str | None = None, limit: int = 100) -> list[Withheld]:
        """What is withheld, newest first."""
        states = self._learner.fold.states.copy()
        found = [(seq, owner) for owner in states for seq in list(states[owner].quarantine.reasons)]
        wanted = sorted((seq for seq, owner in found if tenant in (None, owner)), reverse=True)[:limit]
        with self._engine.connect() as connection:
            records = read(connection, events.c.seq.in_(wanted))
        return [self._shown(record) for record in reversed(records) if isinstance(record.event, Feedback)]

    async def release(self, seq: int, *, also: Also) -> int:
        """Let one outcome count from here on. Raises :class:`NoSuchFeedback`."""
        return await self._write(partial(self._release, seq), also)

    async def reject(self, seq: int, *, also: Also) -> int:
        """Leave one outcome out for good. Raises :class:`NoSuchFeedback`."""
        return await self._write(partial(self._reject, seq), also)

    async def _write(self, work: Callable[[Transaction], None], also: Also) -> int:
        def write(transaction: Transaction) -> int:
            work(transaction)
            position = transaction.position
            also(transaction)
            return position

        position = await self._log.transact(write)
        await self._learner.settled()
        return position

    def _release(self, seq: int, transaction: Transaction) -> None:
        record, event = self._found(seq, transaction)
        assert event.lesson is not None
        released = FeedbackReleased(seq=seq, reward=event.reward, weight=event.weight, lesson=event.lesson)
        transaction.append(released, tenant=record.tenant, subject=record.subject, source=record.source)

    def _reject(self, seq: int, transaction: Transaction) -> None:
        record, _ = self._found(seq, transaction)
        control(transaction, FeedbackExcluded(first=seq, last=seq, reason="rejected"), tenant=record.tenant)

    def _found(self, seq: int, transaction: Transaction) -> tuple[Record, Feedback]:
        transaction.flush()
        for record in read(transaction.connection, events.c.seq == seq):
            own = self._learner.fold.states.get(record.tenant)
            if isinstance(record.event, Feedback) and own is not None and seq in own.quarantine.reasons:
                return record, record.event
        raise NoSuchFeedback(f"no feedback {seq} is in quarantine")

    def _shown(self, record: Record) -> Withheld:
        event, own = record.event, self._learner.fold.states[record.tenant]
        assert isinstance(event, Feedback)
        return Withheld(
            seq=record.seq,
            tenant=record.tenant,
            source=record.source or "",
            decision_id=(record.subject or b"").hex(),
            at=record.at / 1e6,
            reward=event.reward,
            model=event.lesson.arm if event.lesson is not None else "",
            reason=own.quarantine.reasons.get(record.seq, "released"),
            honesty=own.trust.honesty(record.source or ""),
        )
