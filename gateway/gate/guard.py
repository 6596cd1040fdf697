"""The gate of a running gateway, with what acts on its findings."""

from __future__ import annotations

from gateway.gate.gate import Gate
from gateway.gate.keeper import Keeper
from gateway.gate.promotion import Promotion
from gateway.governance.audit import Audit
from gateway.learner import Learner
from gateway.log import Log
from gateway.metrics import Metrics
from gateway.versions.steering import Steering
from gateway.versions.versions import Versions


class Guard:
    """``gate`` is what the learner shows its states to."""

    def __init__(self, *, gate: Gate, log: Log, learner: Learner, audit: Audit, metrics: Metrics) -> None:
        self.gate = gate
        self.promotion = Promotion(gate=gate, log=log, learner=learner)
        self._keeper = Keeper(
            gate=gate,
            log=log,
            versions=Versions(engine=gate.engine, log=log, learner=learner),
            steering=Steering(log=log, learner=learner),
            promotion=self.promotion,
            audit=audit,
            metrics=metrics,
        )

    async def start(self) -> None:
        """Bring the log in line with the configured mode, and begin to act."""
        await self.promotion.declare()
        self._keeper.start()

    async def stop(self) -> None:
        """Act no more."""
        await self._keeper.stop()
