"""Told of limits reached: counted each time; of a budget's stops the log and the audit log hear once a day or month."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Literal

import structlog

from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.identity import Identity
from gateway.limits.budget import Span
from gateway.limits.quota import Quota
from gateway.log import Log, LogUnavailable
from gateway.metrics import Metrics
from gateway.transaction import Transaction

Stage = Literal["soft", "hard"]

_logger = structlog.get_logger("polyculture.limits")


class Alarm:
    """Whose budget it is stands in the audit log alone."""

    def __init__(self, *, log: Log, audit: Audit, metrics: Metrics) -> None:
        self._log = log
        self._audit = audit
        self._metrics = metrics
        self._told: dict[tuple[str, str, Stage, Span], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def refused(self, quota: Quota, limit: str) -> None:
        """A request was refused by this limit."""
        self._metrics.limit_refusals.labels(limit).inc()
        for span in ("day", "month"):
            if limit == f"budget_{span}":
                self._once(quota, "hard", span)

    def strained(self, quota: Quota, span: Span) -> None:
        """A request found a budget past its soft stop."""
        self._once(quota, "soft", span)

    async def stop(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks)

    def _once(self, quota: Quota, stage: Stage, span: Span) -> None:
        place, ends = (quota.tenant, quota.key, stage, span), quota.budget.ends(span)
        if self._told.get(place) == ends:
            return
        self._told[place] = ends
        self._metrics.budget_stops.labels(stage, span).inc()
        _logger.warning("budget_stop", stage=stage, span=span, holder=quota.kind, hint="the audit log says whose it is")
        task = asyncio.get_running_loop().create_task(self._note(quota, stage, span), name="polyculture-budget-stop")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self, quota: Quota, stage: Stage, span: Span) -> None:
        with suppress(LogUnavailable):
            await self._log.transact(partial(self._record, quota, stage, span))

    def _record(self, quota: Quota, stage: Stage, span: Span, transaction: Transaction) -> None:
        whose = Identity(kind=quota.kind, tenant=quota.tenant, name=quota.key)
        self._audit.record(
            transaction, actor=GATEWAY, action=f"budget.{stage}_stop", subject=whose, detail={"span": span}
        )
