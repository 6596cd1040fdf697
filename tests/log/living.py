"""A log and the learner behind it, as in a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from gateway.controls import control
from gateway.events import Control, Event
from gateway.fold import Fold
from gateway.history import restore
from gateway.learner import Learner
from gateway.log import Log
from router_models import make
from router_models.policy import Policy
from tests.log.samples import TENANT, arm, started

BEGINNING: list[Event] = [started(), arm("a"), arm("b")]


class Live:
    """A log and the learner behind it, as in a gateway."""

    def __init__(self, *, engine: sa.Engine, fold: Fold, stuck_s: float, **learner: Any) -> None:
        self.failures = 0
        self.learner = Learner(fold=fold, engine=engine, on_failure=self._failed, **learner)
        self.log = Log(engine=engine, committed=self.learner.offer, stuck_s=stuck_s)
        self.learner.log = self.log

    def _failed(self) -> None:
        self.failures += 1

    async def say(self, *events: Event, tenant: str = TENANT, source: str | None = None) -> None:
        """Log events, each of that tenant's, and wait until they are folded."""
        made = [self.log.append(event, tenant=tenant, subject=bytes(16), source=source) for event in events]
        assert all(await asyncio.gather(*made))
        await self.learner.settled()

    async def rule(self, *events: Control, tenant: str = TENANT) -> None:
        """Log control events, and wait until the past is folded anew by them."""
        await self.log.transact(lambda transaction: [control(transaction, event, tenant=tenant) for event in events])
        await self.learner.settled()


@asynccontextmanager
async def living(
    engine: sa.Engine,
    *,
    make_policy: Callable[..., Policy] = make,
    snapshot_every: int = 10_000,
    stuck_s: float = 30.0,
    **learner: Any,
) -> AsyncIterator[Live]:
    """A log and its learner, until the block ends; ``learner`` are further arguments of that."""
    with engine.connect() as connection:
        fold = restore(connection, make_policy=make_policy)
    live = Live(engine=engine, fold=fold, stuck_s=stuck_s, snapshot_every=snapshot_every, **learner)
    live.log.start(asyncio.get_running_loop())
    live.learner.start()
    try:
        yield live
    finally:
        await live.learner.stop()
        await live.log.stop()
