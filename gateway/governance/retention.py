"""Retention: events older than a tenant wants them kept are dropped, and what was learned from them stays.

A checkpoint of the tenant's state takes the place of the last event that goes, so the log still says what is known.
Tenants that share in the pool keep their numbers, which the pool is folded from; what was said and asked goes there
too. All of it is done in small pieces, between which the log's writer serves everyone else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Configuration
from gateway.controls import Controls
from gateway.corrections.memories import Memories
from gateway.database import look
from gateway.events import EVERYONE, POOL
from gateway.governance import ageing, remnants
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.identity import Identity
from gateway.governance.scrub import PATIENCE_S, emptied
from gateway.history import restore
from gateway.learner import Learner
from gateway.log import Log, LogUnavailable
from gateway.transaction import Transaction

_logger = structlog.get_logger("polyculture.retention")

DAY_S = 86_400.0

#: How often emptying the write-ahead log is tried, in seconds.
STEP_S = 1.0


class Retention:
    """Drops what is too old, by the configuration. ``clock`` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        engine: sa.Engine,
        log: Log,
        learner: Learner,
        corrections: Memories,
        audit: Audit,
        configuration: Configuration,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._log = log
        self._learner = learner
        self._corrections = corrections
        self._audit = audit
        self._clock = clock
        self._every_s = 0.0
        self._stripped: dict[str, int] = {}
        self._remnants = True
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.adopt(configuration)

    def adopt(self, configuration: Configuration) -> None:
        """Drop by this configuration from now on."""
        self._otherwise = configuration.retention_days
        self._days = {each.id: each.retention_days or self._otherwise for each in configuration.tenants}
        if self._every_s and self._task is None:
            self.start(every_s=self._every_s)

    @property
    def tenants(self) -> list[str]:
        """Those whose events may go."""
        return sorted({*self._learner.fold.states, *self._days} - {POOL, EVERYONE})

    def start(self, *, every_s: float) -> None:
        """Begin, where anything is to be dropped ever: now, and then every so many seconds."""
        self._every_s = every_s
        if self._otherwise is not None or any(days is not None for days in self._days.values()):
            self._task = asyncio.get_running_loop().create_task(self._run(every_s), name="polyculture-retention")

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, every_s: float) -> None:
        while True:
            for tenant in self.tenants:
                try:
                    await self.drop(tenant)
                except (LogUnavailable, SQLAlchemyError):
                    self._remnants = True
                    _logger.warning("retention_delayed", exc_info=True)
            try:
                await self.leave_no_trace()
            except SQLAlchemyError:
                self._remnants = True
                _logger.warning("retention_delayed", exc_info=True)
            await asyncio.sleep(every_s)

    async def leave_no_trace(self) -> None:
        """Take what went out of the write-ahead log, too, or what a crash may have left there; the next pass goes on
        where somebody reads for long.
        """
        until = time.monotonic() + PATIENCE_S
        while self._remnants and time.monotonic() < until:
            self._remnants = False
            if not await look(self._engine, emptied):
                self._remnants = True
                await asyncio.sleep(STEP_S)
        if self._remnants:
            _logger.warning("retention_remnants", hint="a long read keeps what went in the write-ahead log")

    async def drop(self, tenant: str) -> None:
        """Drop what is too old of this tenant's."""
        days = self._days.get(tenant, self._otherwise)
        if days is not None:
            await self.drop_before(tenant, int((self._clock() - days * DAY_S) * 1e6))

    async def drop_before(self, tenant: str, before: int) -> int:
        """Drop what is from before a time, in microseconds since the epoch; returns how many events went."""
        async with self._one:
            return await self._drop(tenant, before)

    async def _drop(self, tenant: str, before: int) -> int:
        texts = await self._pieces(partial(ageing.drop_texts, tenant, before))
        old = await look(self._engine, partial(ageing.too_old, tenant=tenant, before=before))
        gone = 0 if old is None else await self._age(tenant, old)
        if texts or gone:
            self._corrections.read_anew([tenant])
            detail = {"events": gone, "texts": texts, "before": before}
            await self._log.transact(partial(self._tell, tenant, detail))
        return gone

    async def _age(self, tenant: str, old: ageing.Extent) -> int:
        """Drop these events, or of the pool's tenants what need not stay; returns how many."""
        if tenant in self._learner.fold.pool:
            first = max(old.first, self._stripped.get(tenant, 0))
            self._stripped[tenant] = old.last
            return await self._pieces(partial(ageing.strip, tenant, old.last), first - 1)
        if not old.done and not await self._checkpoint(tenant, old.last):
            return 0
        return await self._pieces(partial(ageing.drop_events, tenant, old.last - 1), old.first - 1)

    async def _checkpoint(self, tenant: str, place: int) -> bool:
        """Put the state in the place of the last event that goes; ``False`` where that must wait."""
        base = await look(self._engine, partial(self._folded, tenant, place))
        self._remnants = True
        return await self._log.transact(partial(ageing.put, base, tenant))

    def _folded(self, tenant: str, place: int, connection: sa.Connection) -> ageing.Base:
        """The tenant's state at a place, under today's controls."""
        make, controls = self._learner.fold.make_policy, Controls.read(connection)
        stale = remnants.superseded(connection, make_policy=make, controls=controls, tenant=tenant)
        fold = restore(connection, make_policy=make, controls=controls, upto=place, tenants=[tenant])
        return ageing.Base(fold, controls, stale)

    async def _pieces(self, piece: Callable[[int, Transaction], ageing.Piece], after: int = 0) -> int:
        """Do a piece after the other, until there is none left; returns how many rows that were."""
        rows = 0
        while True:
            done = await self._log.transact(partial(piece, after))
            rows, after = rows + done.rows, done.upto
            self._remnants |= done.rows > 0
            if done.last:
                return rows
            await asyncio.sleep(0)

    def _tell(self, tenant: str, detail: Mapping[str, object], transaction: Transaction) -> None:
        about = Identity(kind="tenant", tenant=tenant)
        self._audit.record(transaction, actor=GATEWAY, action="retention.drop", subject=about, detail=detail)
