"""What the gate found, done: versions taken back or promoted, every act audited, counted and told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from gateway.events import EVERYONE
from gateway.gate.acts import Act, Drifted, Due, Fallen, Refused
from gateway.gate.gate import Gate
from gateway.gate.promotion import Promotion
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.identity import Identity
from gateway.log import Log, LogUnavailable
from gateway.metrics import Metrics
from gateway.transaction import Transaction
from gateway.versions.steering import Steering
from gateway.versions.versions import Also, OutOfReach, Versions

_logger = structlog.get_logger("polyculture.gate")

RETRY_S: Final = 1.0
"""How long is waited before an act that the log could not take is tried again."""

PATIENCE: Final = 2000
"""Outcomes after which a candidate that nothing speaks for or against makes room for a newer one."""


class Keeper:
    """Waits for the gate's acts, and does them one after the other. ``start`` and ``stop`` it once."""

    def __init__(
        self,
        *,
        gate: Gate,
        log: Log,
        versions: Versions,
        steering: Steering,
        promotion: Promotion,
        audit: Audit,
        metrics: Metrics,
    ) -> None:
        self._gate = gate
        self._log = log
        self._versions = versions
        self._steering = steering
        self._promotion = promotion
        self._audit = audit
        self._metrics = metrics
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to act."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._wake.set)

        self._gate.on_act = wake
        self._wake.set()
        self._task = loop.create_task(self._run(), name="polyculture-gate")

    async def stop(self) -> None:
        """Act no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._gate.acts:
                act = self._gate.acts.popleft()
                try:
                    await self._do(act)
                except Exception:
                    self._metrics.learner_failures.inc()
                    _logger.exception("gate_act_failed", act=type(act).__name__)

    async def _do(self, act: Act) -> None:
        if isinstance(act, Refused):
            await self._refused(act)
        elif isinstance(act, Fallen):
            await self._fallen(act)
        elif isinstance(act, Drifted):
            await self._drifted(act)
        else:
            await self._compare(act)

    async def _surely(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write, as often as it takes the log to take it."""
        while True:
            try:
                await write()
                return
            except LogUnavailable:
                await asyncio.sleep(RETRY_S)

    async def _refused(self, act: Refused) -> None:
        for finding in act.findings:
            self._metrics.gate_refusals.labels(finding.check).inc()
        detail = {"candidate": act.candidate, "live": act.live, "findings": [each._asdict() for each in act.findings]}
        _logger.error("candidate_refused", **detail)
        await self._note("gate.refuse", act.tenant, **detail)

    async def _fallen(self, act: Fallen) -> None:
        """Take a version back. Until the log has it, the trusted one serves already."""
        self._metrics.gate_rollbacks.labels(act.cause).inc()
        detail = {"live": act.live, "trusted": act.trusted, "cause": act.cause, "outcomes": act.outcomes}
        _logger.error("version_taken_back", **detail)
        found = {**detail, "findings": [each._asdict() for each in act.findings]}
        note = self._noted("gate.rollback", act.tenant, **found)
        await self._surely(lambda: self._take_back(act, note))

    async def _take_back(self, act: Fallen, note: Also) -> None:
        if not self._gate.standing(act.tenant).fallen:
            return  # it has been done, by an admin or by what the log was thought not to have taken
        if act.cause == "promoted":
            await self._promotion.write(act.trusted, tenant=act.tenant, returned=True, also=note)
        elif act.cause == "policy":
            policy, parameters = await self._promotion.policy_before()
            await self._steering.change_policy(policy, parameters, also=note)
        else:
            try:
                await self._versions.rollback(act.trusted, tenant=act.tenant, note="taken back by the gate", also=note)
            except OutOfReach as error:
                _logger.error("rollback_out_of_reach", trusted=act.trusted, error=str(error))

    async def _drifted(self, act: Drifted) -> None:
        alarm = act.alarm
        self._metrics.drift_alarms.labels(alarm.kind, alarm.arm).inc()
        detail = {"kind": alarm.kind, "model": alarm.arm, "since": alarm.since, "ratio": alarm.ratio}
        _logger.warning("drift", position=act.position, **detail)
        await self._note("drift.alarm", act.tenant, position=act.position, **detail)

    async def _compare(self, act: Due) -> None:
        """Promote a candidate that the log shows to be no worse; drop one that it shows to be, or says nothing of."""
        found = await self._promotion.compare(act.candidate, tenant=act.tenant)
        if found is None:
            return
        figures = {name: getattr(found, name) for name in ("value", "low", "high", "decisions")}
        detail = {"candidate": act.candidate.version, "verdict": found.verdict, **figures}
        if found.verdict == "promote":
            self._metrics.gate_promotions.inc()
            note = self._noted("gate.promote", act.tenant, **detail)
            await self._surely(lambda: self._promotion.write(act.candidate.version, tenant=act.tenant, also=note))
        elif found.verdict == "refuse":
            self._metrics.gate_refusals.labels("worse").inc()
            await self._note("gate.refuse", act.tenant, **detail)
        if found.verdict != "undecided" or act.outcomes >= PATIENCE:
            self._gate.withdraw(act.tenant)

    async def _note(self, action: str, tenant: str, **detail: object) -> None:
        note = self._noted(action, tenant, **detail)
        await self._surely(lambda: self._log.transact(note))

    def _noted(self, action: str, tenant: str, **detail: object) -> Also:
        subject = Identity(kind="tenant", tenant=tenant) if tenant != EVERYONE else ""

        def note(transaction: Transaction) -> None:
            self._audit.record(transaction, actor=GATEWAY, action=action, subject=subject, detail=detail)

        return note
