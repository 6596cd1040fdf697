"""The tenants' memories over a log: what is kept live is what reading the log anew gives, whatever was taken back."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import Corrections, Tenant
from gateway.controls import control
from gateway.corrections.memories import Memories
from gateway.database import connect, migrate
from gateway.events import EVERYONE, Exclusion, Feedback, FeedbackExcluded
from gateway.history import refold
from gateway.learner import Learner
from gateway.log import Log
from gateway.transaction import Transaction
from router_models import make
from tests.log.conftest import PATIENCE_S, Run, engine, run
from tests.log.samples import DIMENSIONS, feedback, started

__all__ = ["engine", "run"]

TENANTS = ["default", "acme"]
REASONS: list[Exclusion] = ["revoked", "rolled_back", "rejected"]


def memories(engine: sa.Engine, *, most: int = 1000) -> Memories:
    kept = Corrections(enabled=True, most=most, sources=("key", "key/"))
    tenants = [Tenant(id=name, corrections=kept) for name in TENANTS] + [Tenant(id="off")]
    return Memories(tenants=tenants, engine=engine, width=DIMENSIONS - 2)


def known(of: Memories) -> dict[str, list[str]]:
    return {tenant: [each.text for each in keeper.memory] for tenant, keeper in of.keepers.items()}


def learner(engine: sa.Engine) -> Learner:
    """One that stands at the log's end, and learns nothing more."""
    with engine.connect() as connection:
        return Learner(fold=refold(connection, make_policy=make), engine=engine)


class Living:
    """A log, and memories fed by it."""

    def __init__(self, *, engine: sa.Engine, most: int = 1000) -> None:
        self.engine = engine
        self.memories = memories(engine, most=most)
        self.log = Log(engine=engine, committed=self.memories.offer)
        self.most = most
        self.count = 0

    async def begin(self) -> None:
        self.log.start(asyncio.get_running_loop())
        await self.log.append(started(), tenant=EVERYONE)
        await self.memories.start(learner(self.engine))

    async def end(self) -> None:
        await self.memories.stop()
        await self.log.stop()

    async def say(self, subject: int, text: str | None, *, tenant: str = "default", source: str = "key") -> int:
        """Feedback, with a correction or without; its place in the log."""
        said = feedback("a", 0.0, seed=subject)
        event = Feedback(reward=0.0, weight=1.0, previous=None, lesson=said.lesson, correction=text)
        assert await self.log.append(event, tenant=tenant, subject=subject.to_bytes(16, "big"), source=source)
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT max(seq) FROM events").scalar() or 0)

    async def exclude(self, first: int, last: int, *, tenant: str = "default", **details: Any) -> None:
        event = FeedbackExcluded(first=first, last=last, **{"reason": "revoked", **details})

        def write(transaction: Transaction) -> int:
            return control(transaction, event, tenant=tenant)

        await self.log.transact(write)

    async def anew(self) -> dict[str, list[str]]:
        """What a gateway that starts now would know."""
        fresh = memories(self.engine, most=self.most)
        await fresh.start(learner(self.engine))
        return known(fresh)


def test_what_is_revoked_is_gone_at_once_and_the_word_before_counts_again(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        living = Living(engine=engine)
        await living.begin()
        await living.say(1, "first")
        latest = await living.say(1, "second")
        await living.say(2, "other", source="key/ann")
        await living.say(3, "theirs", tenant="acme")
        await living.exclude(latest, latest)
        assert known(living.memories) == {"default": ["other"], "acme": ["theirs"]}
        await living.memories.settled()
        assert known(living.memories) == {"default": ["first", "other"], "acme": ["theirs"]}
        await living.exclude(1, latest + 2, sources=["key/"])
        await living.memories.settled()
        assert known(living.memories) == await living.anew() == {"default": ["first"], "acme": ["theirs"]}
        await living.exclude(1, latest + 2, tenant=EVERYONE)
        await living.memories.settled()
        assert known(living.memories) == await living.anew() == {"default": [], "acme": []}
        await living.end()

    run(scenario())


@pytest.mark.parametrize("tenant", ["off", "nobody"])
def test_who_has_not_turned_it_on_leaves_nothing_here(run: Run, engine: sa.Engine, tenant: str) -> None:
    async def scenario() -> None:
        living = Living(engine=engine)
        await living.begin()
        place = await living.say(1, "text", tenant=tenant)
        await living.exclude(place, place, tenant=tenant)
        assert known(living.memories) == {"default": [], "acme": []}
        assert set(living.memories.keepers) == set(TENANTS)
        await living.end()

    run(scenario())


def test_another_feature_space_begins_with_nothing(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        living = Living(engine=engine)
        await living.begin()
        await living.say(1, "text")
        await living.log.append(started(dimensions=9), tenant=EVERYONE)
        assert known(living.memories) == {"default": [], "acme": []}
        await living.say(2, "of the old space")
        assert known(living.memories) == {"default": [], "acme": []}
        await living.end()

    run(scenario())


def test_what_comes_while_the_log_is_read_is_not_lost(run: Run, engine: sa.Engine) -> None:
    async def scenario() -> None:
        living = Living(engine=engine)
        await living.begin()
        for number in range(8):
            living.memories.read_anew(TENANTS)
            said = [living.say(number, f"{number}"), living.say(number + 100, f"more {number}")]
            await asyncio.gather(*said)
        await living.memories.settled()
        assert known(living.memories) == await living.anew()
        assert len(known(living.memories)["default"]) == 16
        await living.end()

    run(scenario())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_live_is_what_the_log_says(seed: int, most: int) -> None:
    chance = random.Random(seed)

    async def scenario(folder: Path) -> None:
        engine = connect(folder)
        migrate(engine)
        living = Living(engine=engine, most=most)
        await living.begin()
        for number in range(40):
            tenant = chance.choice(TENANTS)
            if chance.random() < 0.8:
                text = f"{number}" if chance.random() < 0.7 else None
                source = chance.choice(["key", "key/ann", "key/bob", "unheard"])
                await living.say(chance.randrange(6), text, tenant=tenant, source=source)
            else:
                first, last = sorted(chance.choices(range(1, number + 2), k=2))
                sources = chance.choice([None, ["key"], ["key/"], ["key/ann"]])
                reason = chance.choice(REASONS)
                whom = chance.choice([tenant, EVERYONE])
                await living.exclude(first, last, tenant=whom, reason=reason, sources=sources)
        await living.memories.settled()
        assert known(living.memories) == await living.anew()
        await living.end()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(asyncio.wait_for(scenario(Path(folder)), PATIENCE_S))
