"""A running learner that has been taught, and what can be done with its versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.events import EVERYONE, Event
from gateway.history import refold
from gateway.versions.steering import Steering
from gateway.versions.versions import Versions
from router_models import make
from tests.log.living import BEGINNING, Live, living
from tests.log.samples import TENANT, answer, decision, features, feedback


class Taught:
    """A log and its learner, and those who look at it and steer it."""

    def __init__(self, *, live: Live, engine: sa.Engine) -> None:
        self.live = live
        self.engine = engine
        self.learner = live.learner
        self.versions = Versions(engine=engine, log=live.log, learner=live.learner)
        self.steering = Steering(log=live.log, learner=live.learner)

    async def teach(self, good: str, *, times: int = 5, bad: str = "", tenant: str = TENANT) -> str:
        """Let the tenant say so many times who is good, and who is bad. Returns the version that this makes."""
        for number in range(times):
            said: list[Event] = [decision(good, seed=number), answer(good), feedback(good, 1.0, seed=number)]
            said += [feedback(bad, 0.0, seed=number)] if bad else []
            await self.live.say(*said, tenant=tenant)
        return self.learner.fold.version(tenant)

    def shares(self, tenant: str = TENANT) -> dict[str, float]:
        """What requests of this tenant go by now."""
        snapshot = self.learner.published(tenant).snapshot
        eligible = np.ones(len(snapshot.arms), np.bool_)
        proposal = snapshot.propose(np.frombuffer(features(1), "<f4"), eligible=eligible)
        return dict(zip(snapshot.arms, proposal.probabilities.tolist(), strict=True))

    def check(self) -> None:
        """The live state is what the log says, bit for bit, and nothing failed."""
        with self.engine.connect() as connection:
            assert pack(contents(refold(connection, make_policy=make))) == pack(contents(self.learner.fold))
        assert self.live.failures == 0


@asynccontextmanager
async def taught(engine: sa.Engine, *, beginning: Sequence[Event] = BEGINNING) -> AsyncIterator[Taught]:
    async with living(engine) as live:
        if not live.learner.fold.lineage:
            await live.say(*beginning, tenant=EVERYONE)
        yield Taught(live=live, engine=engine)
