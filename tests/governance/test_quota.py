"""The disk's limit: old events go, what was learned of them stays, and the newest are there, whatever the limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.config import Configuration
from gateway.corrections.memories import Memories
from gateway.events import EVERYONE, Checkpoint, Event, PoolJoined
from gateway.governance import quota
from gateway.governance.audit import Audit, entries
from gateway.governance.installation import Installation
from gateway.governance.quota import Quota
from gateway.governance.retention import Retention
from gateway.history import refold
from gateway.verification import verify
from router_models import make
from tests.conftest import Start
from tests.governance.test_retention import kinds
from tests.log.conftest import Run
from tests.log.living import BEGINNING, Live, living
from tests.log.samples import TENANT, answer, decision, feedback
from tests.support.cards import card
from tests.support.gateway import eventually
from tests.support.upstream import Upstream

COMMENT = "a long comment " * 200


@asynccontextmanager
async def limited(engine: sa.Engine, folder: Path) -> AsyncIterator[tuple[Live, Quota]]:
    """A log with a beginning, and what keeps its disk's limit."""
    async with living(engine) as live:
        await live.say(*BEGINNING, tenant=EVERYONE)
        retention = Retention(
            engine=engine,
            log=live.log,
            learner=live.learner,
            corrections=Memories(tenants=(), engine=engine, width=1),
            audit=Audit(installation=Installation(data_dir=folder)),
            configuration=Configuration(),
        )
        yield live, Quota(engine=engine, data_dir=folder, retention=retention, limit=None)


def said(number: int) -> list[Event]:
    told = msgspec.structs.replace(feedback("a", number % 10 / 10, seed=number), comment=COMMENT)
    return [decision("a", arms=["a", "b"], seed=number), answer("a"), told]


async def filled(live: Live, requests: int, *, tenant: str = TENANT) -> None:
    for number in range(requests):
        await live.say(*said(number), tenant=tenant)


def test_near_the_limit_the_oldest_go_and_what_was_learned_stays(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with limited(engine, tmp_path) as (live, keeper):
            await filled(live, 500)
            await filled(live, 100, tenant="acme")
            await live.learner.save()
            before = pack(contents(live.learner.fold))
            await keeper.keep(2 * keeper.files)
            assert keeper.dropped == 0
            limit = int(keeper.files * 0.8)
            for _ in range(3):
                await keeper.keep(limit)
            assert keeper.dropped > 100
            assert keeper.files <= limit
            left = kinds(engine)
            assert left[0] == Checkpoint.kind
            assert left[-3:] == ["decision", "answer", "feedback"]
            assert pack(contents(live.learner.fold)) == before
            with engine.connect() as connection:
                assert pack(contents(refold(connection, make_policy=make))) == before
                assert verify(connection, make_policy=make).largest == 0.0
                assert "retention.drop" in [entry.action for entry in entries(connection)]

    run(scenario())


def test_the_newest_stay_however_small_the_limit(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with limited(engine, tmp_path) as (live, keeper):
            await filled(live, 200)
            for _ in range(4):
                await keeper.keep(1)
            assert quota.NEWEST <= len(kinds(engine)) <= quota.NEWEST + 2
            before = keeper.dropped
            await keeper.keep(1)
            assert keeper.dropped == before

    run(scenario())


def test_what_the_pool_needs_stays_and_younger_events_of_others_go(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with limited(engine, tmp_path) as (live, keeper):
            await live.say(PoolJoined(contributes=True, consumes=False))
            await filled(live, 200)
            await filled(live, 500, tenant="acme")
            for _ in range(4):
                await keeper.keep(keeper.files // 2)
            assert len(kinds(engine)) == 601
            assert len(kinds(engine, "acme")) < 1500

    run(scenario())


def test_a_gateway_stays_below_its_limit_and_serves_on(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("one", upstream.url), card("two", upstream.url)]}, POLYCULTURE_MAX_DISK_MB="5")
    assert gateway.metric("polyculture_disk_limit_bytes") == 5e6
    for _ in range(500):
        name = gateway.chat().headers["x-polyculture-decision-id"]
        told = {"decision_id": name, "score": 0.5, "comment": COMMENT * 4}
        assert gateway.feedback(told).json()["status"] == "recorded"
    eventually(lambda: gateway.metric("polyculture_disk_dropped_events") > 0)
    eventually(lambda: gateway.metric("polyculture_disk_bytes") <= 5e6)
    assert "disk_limit_near" in gateway.log
    assert gateway.feedback({"decision_id": name, "score": 1.0}).json()["status"] == "amended"
    assert gateway.chat().status_code == 200
