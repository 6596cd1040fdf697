"""Every tenant's corrections: a fold of their own over the log, fed beside the learner. No tenant's reach another.

Where a control event changes what counted in the past, its tenants' corrections are read from the log anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from functools import partial

import sqlalchemy as sa
import structlog

from gateway.config import Tenant
from gateway.controls import Controls
from gateway.corrections.keeper import Keeper
from gateway.events import EVERYONE, Control, Feedback, LineageStarted
from gateway.learner import Learner
from gateway.schema import events
from gateway.transaction import Record, stream

_logger = structlog.get_logger("polyculture.corrections")


class Memories:
    """``keepers`` by tenant, of those that have turned corrections on.

    ``width`` is that of the features' embedding part.
    """

    def __init__(self, *, tenants: Iterable[Tenant], engine: sa.Engine, width: int) -> None:
        self._engine = engine
        self._make = {
            tenant.id: partial(Keeper, settings=tenant.corrections, width=width, counts=self.counts)
            for tenant in tenants
            if tenant.corrections.enabled
        }
        self.keepers = {tenant: make() for tenant, make in self._make.items()}
        self._learner: Learner | None = None
        self._lineage = 0
        self._stale: set[str] = set()
        self._missed: list[Record] = []
        self._reading: asyncio.Task[None] | None = None

    async def start(self, learner: Learner) -> None:
        """Read what the log holds of the live lineage."""
        self._learner, self._lineage = learner, learner.fold.lineage
        self.read_anew(self.keepers)
        await self.settled()

    def counts(self, record: Record) -> bool:
        """Whether the live fold has seen this feedback, and does not withhold it."""
        if self._learner is None or record.seq > self._learner.fold.position:
            return False
        return not self._learner.fold.withholds(record)

    async def settled(self) -> None:
        """Wait until nothing is being read anew."""
        if self._reading is not None:
            await self._reading

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def offer(self, records: Sequence[Record]) -> None:
        """Take committed records, in log order."""
        for record in records:
            event = record.event
            if isinstance(event, Feedback):
                if record.tenant in self.keepers:
                    self._told(record, event)
            elif isinstance(event, LineageStarted):
                self._lineage = record.seq
                self.keepers.update({tenant: make() for tenant, make in self._make.items()})
            elif isinstance(event, Control):
                self._changed(record)

    def _told(self, record: Record, event: Feedback) -> None:
        self.keepers[record.tenant].take(record, event, lineage=self._lineage)
        if self._reading is not None:
            self._missed.append(record)

    def _changed(self, record: Record) -> None:
        """What it excludes is gone at once; what counts again in its place is known once the log was read."""
        changed = self.keepers.keys() if record.tenant == EVERYONE else self.keepers.keys() & {record.tenant}
        excludes = Controls(records=[record]).excludes
        for tenant in changed:
            self.keepers[tenant].forget(excludes)
        self.read_anew(changed)

    def read_anew(self, tenants: Collection[str]) -> None:
        """Read these tenants' corrections from the log again; what is known of them serves on meanwhile."""
        self._stale.update(self.keepers.keys() & set(tenants))
        if self._stale and self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read(), name="polyculture-corrections")

    async def _read(self) -> None:
        try:
            while self._stale:
                tenants, self._stale, self._missed = frozenset(self._stale), set(), []
                lineage = self._lineage
                position, fresh = await asyncio.to_thread(self._folded, tenants, lineage)
                if lineage != self._lineage:
                    continue  # nothing of an earlier feature space is of use
                for record in self._missed:
                    if record.tenant in tenants and record.seq > position and isinstance(record.event, Feedback):
                        fresh[record.tenant].take(record, record.event, lineage=lineage)
                self.keepers.update(fresh)
        except Exception:
            _logger.exception("corrections_not_read")
        finally:
            self._reading, self._missed = None, []

    def _folded(self, tenants: Collection[str], lineage: int) -> tuple[int, dict[str, Keeper]]:
        """The log's end, and these tenants' keepers by all that it says up to there."""
        fresh = {tenant: self._make[tenant]() for tenant in tenants}
        with self._engine.connect() as connection:
            position = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
            controls = Controls.read(connection, upto=position)
            told = events.c.kind == Feedback.kind, events.c.tenant.in_(tenants), events.c.seq.between(lineage, position)
            for record in stream(connection, *told):
                if isinstance(record.event, Feedback) and not controls.excludes(record):
                    fresh[record.tenant].take(record, record.event, lineage=lineage)
        return position, fresh
