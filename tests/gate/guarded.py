"""A running learner behind a gate, requests of a small world, and outcomes that come of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.config import Gate as Settings
from gateway.events import EVERYONE, Decision, Event, Feedback, doubles, singles
from gateway.gate.gate import Gate
from gateway.gate.guard import Guard
from gateway.governance.audit import Audit, AuditEntry, entries
from gateway.governance.installation import Installation
from gateway.history import refold
from gateway.metrics import Metrics
from gateway.versions.steering import Steering
from gateway.versions.versions import Versions
from router_models import make
from router_models.drawing import drawn
from tests.log.living import Live, living
from tests.log.samples import DIMENSIONS, TENANT, answer, arm, started

ARMS = ("a", "b", "c")

#: How often an arm's answer is good.
GOOD = {"a": 0.2, "b": 0.4, "c": 0.8}


class Guarded:
    """Serves requests as the router would, and tells what came of them."""

    def __init__(self, *, live: Live, guard: Guard, engine: sa.Engine, metrics: Metrics) -> None:
        self.live = live
        self.learner = live.learner
        self.guard = guard
        self.gate = guard.gate
        self.engine = engine
        self.metrics = metrics
        self.versions = Versions(engine=engine, log=live.log, learner=live.learner)
        self.steering = Steering(log=live.log, learner=live.learner)
        self.rng = np.random.default_rng(0)
        self.good = dict(GOOD)
        self.groups: list[str] = []

    async def serve(self, times: int = 1, *, tenant: str = TENANT, every: int = 25) -> None:
        """Requests, and one outcome for each, told ``every`` so many."""
        for begun in range(0, times, every):
            made = [
                self.live.log.append(event, tenant=tenant, subject=subject, source="key")
                for _ in range(min(every, times - begun))
                for event, subject in self.one(tenant)
            ]
            assert all(await asyncio.gather(*made))
            await self.learner.settled()

    async def until(self, check: Callable[[], Any], *, most: int = 300, tenant: str = TENANT) -> int:
        """Serve until something is so; how many requests it took. Fails after ``most``."""
        for served in range(0, most, 10):
            if check():
                return served
            await self.serve(10, tenant=tenant, every=10)
            await asyncio.sleep(0.02)
        raise AssertionError(f"it was not so after {most} requests")

    def one(self, tenant: str) -> list[tuple[Event, bytes]]:
        """One request: its decision, its answer, its outcome."""
        number, subject = float(self.rng.random()), uuid.uuid4().bytes
        published = self.learner.published(tenant).drawn(number)
        x = (self.rng.normal(size=DIMENSIONS) / np.sqrt(DIMENSIONS)).astype(np.float32)
        arms = published.snapshot.arms
        proposal = published.snapshot.propose(x, eligible=np.ones(len(arms), np.bool_))
        draw = float(self.rng.random())
        chosen = arms[drawn(proposal.probabilities, draw)]
        shadow = b""
        if published.shadow is not None:
            beside = published.shadow.propose(x, eligible=np.ones(len(arms), np.bool_)).probabilities
            shadow = doubles(beside)
        decision = Decision(
            chosen=chosen,
            reason="policy",
            version=published.version,
            arms=list(arms),
            probabilities=doubles(proposal.probabilities),
            scores=singles(proposal.scores),
            draw=draw,
            features=singles(x),
            lineage=published.lineage,
            key="key",
            endpoint="chat",
            preference="",
            excluded={},
            assignment=number,
            group=published.group,
            position=published.position,
            share=published.share,
            trial=published.trial,
            shadow=shadow,
        )
        self.groups.append(published.group)
        reward = float(self.rng.random() < self.good[chosen])
        told = Feedback(reward=reward, weight=1.0, previous=None, lesson=decision.lesson(chosen))
        return [(decision, subject), (answer(chosen), subject), (told, subject)]

    def shares(self, tenant: str = TENANT) -> dict[str, float]:
        """What the live version gives the arms."""
        snapshot = self.learner.published(tenant).snapshot
        x = np.zeros(DIMENSIONS, np.float32)
        proposal = snapshot.propose(x, eligible=np.ones(len(snapshot.arms), np.bool_))
        return dict(zip(snapshot.arms, proposal.probabilities.tolist(), strict=True))

    def check(self) -> None:
        """The live state is what the log says, bit for bit, and nothing failed."""
        with self.engine.connect() as connection:
            assert pack(contents(refold(connection, make_policy=make))) == pack(contents(self.learner.fold))
        assert self.live.failures == 0
        assert not self.metric("learner_failures_total")

    def audited(self, action: str) -> list[AuditEntry]:
        with self.engine.connect() as connection:
            return [each for each in entries(connection) if each.action == action]

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"polyculture_{name}", labels) or 0.0


@asynccontextmanager
async def guarded(
    engine: sa.Engine, folder: Path, *, clock: Callable[[], float] | None = None, stuck_s: float = 30.0, **settings: Any
) -> AsyncIterator[Guarded]:
    ticks = iter(range(10**9))
    gate = Gate(settings=Settings(**settings), engine=engine, clock=clock or (lambda: float(next(ticks))))
    async with living(engine, door=gate, stuck_s=stuck_s) as live:
        if not live.learner.fold.lineage:
            await live.say(started(cap=None), *(arm(name) for name in ARMS), tenant=EVERYONE)
        metrics = Metrics(version="test")
        audit = Audit(installation=Installation(data_dir=folder))
        guard = Guard(gate=gate, log=live.log, learner=live.learner, audit=audit, metrics=metrics)
        await guard.start()
        try:
            yield Guarded(live=live, guard=guard, engine=engine, metrics=metrics)
        finally:
            await guard.stop()
