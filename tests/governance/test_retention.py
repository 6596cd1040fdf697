"""Retention: events that are too old go while the gateway serves, and what was learned from them stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.config import Configuration
from gateway.corrections.memories import Memories
from gateway.database import moment
from gateway.embedding import Embeddings
from gateway.events import EVERYONE, Checkpoint, Decision, Event, Feedback, PoolJoined, TrustTuned
from gateway.governance import retention as module
from gateway.governance.audit import Audit, entries
from gateway.governance.erasure import Erasures
from gateway.governance.identity import Identity
from gateway.governance.installation import Installation
from gateway.governance.prompts import Prompts
from gateway.governance.retention import Retention
from gateway.history import refold
from gateway.keys import KeyRing
from gateway.schema import events, prompts
from gateway.transaction import read
from gateway.trust.credit import number
from gateway.verification import verify
from router_models import make
from router_models.embedders import load
from tests.conftest import Start
from tests.governance.test_erasure import ACME, ask, files, verified
from tests.log.conftest import Run
from tests.log.living import BEGINNING, Live, living
from tests.log.samples import TENANT, answer, decision, feedback
from tests.support.cards import card
from tests.support.gateway import KEY, eventually
from tests.support.upstream import Upstream

DAY_S = 86_400.0


@asynccontextmanager
async def kept(engine: sa.Engine, folder: Path, *, days: float = 1.0) -> AsyncIterator[tuple[Live, Retention]]:
    """A log with a beginning, and retention that looks at it two days later."""
    async with living(engine) as live:
        await live.say(*BEGINNING, tenant=EVERYONE)
        yield (
            live,
            Retention(
                engine=engine,
                log=live.log,
                learner=live.learner,
                corrections=Memories(tenants=(), engine=engine, width=1),
                audit=Audit(installation=Installation(data_dir=folder)),
                configuration=Configuration(retention_days=days),
                clock=lambda: time.time() + 2 * DAY_S,
            ),
        )


def said(number: int) -> list[Event]:
    return [decision("a", arms=["a", "b"], seed=number), answer("a"), feedback("a", number / 10, seed=number)]


def kinds(engine: sa.Engine, tenant: str = TENANT) -> list[str]:
    with engine.connect() as connection:
        return [record.kind for record in read(connection, events.c.tenant == tenant)]


def check(live: Live, engine: sa.Engine) -> None:
    """The live state is what the log says, and so is every saved version."""
    with engine.connect() as connection:
        again = refold(connection, make_policy=make)
        assert pack(contents(again)) == pack(contents(live.learner.fold))
        found = verify(connection, make_policy=make)
        assert (found.largest, found.altered) == (0.0, {})


def test_a_checkpoint_takes_the_place_of_what_is_too_old(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            for number in range(5):
                await live.say(*said(number))
                await live.say(*said(number), tenant="acme")
            await live.learner.save()
            before = pack(contents(live.learner.fold))
            await retention.drop(TENANT)
            assert kinds(engine) == [Checkpoint.kind]
            assert len(kinds(engine, "acme")) == 15
            assert pack(contents(live.learner.fold)) == before
            check(live, engine)
            await live.say(*said(5))
            await retention.drop(TENANT)
            assert kinds(engine) == [Checkpoint.kind]
            await live.say(feedback("b", 1.0))
            check(live, engine)
        with engine.connect() as connection:
            told = [entry.action for entry in entries(connection)]
            assert told == ["audit.signing_key", "retention.drop", "retention.drop"]

    run(scenario())


def test_what_is_young_stays(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path, days=3.0) as (live, retention):
            await live.say(*said(1))
            await retention.drop(TENANT)
            assert len(kinds(engine)) == 3
            with engine.connect() as connection:
                assert entries(connection) == []

    run(scenario())


def test_what_was_interrupted_goes_on(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            for number in range(3):
                await live.say(*said(number))
            await retention._checkpoint(TENANT, live.learner.fold.position)
            assert len(kinds(engine)) == 9
            check(live, engine)
            await retention.drop(TENANT)
            assert kinds(engine) == [Checkpoint.kind]
            check(live, engine)

    run(scenario())


def test_who_shares_in_the_pool_keeps_numbers_alone(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            await live.say(PoolJoined(contributes=True, consumes=False))
            told = feedback("a", 0.5, seed=1)
            await live.say(*said(1), msgspec.structs.replace(told, comment="a secret", correction="another"))
            before = pack(contents(live.learner.fold))
            await retention.drop(TENANT)
            assert pack(contents(live.learner.fold)) == before
            check(live, engine)
        with engine.connect() as connection:
            left = [record.event for record in read(connection, events.c.tenant == TENANT)]
        assert [event.features for event in left if isinstance(event, Decision)] == [b""]
        heard = [event for event in left if isinstance(event, Feedback)]
        assert [(event.comment, event.lesson is not None) for event in heard] == [(None, True)] * 2

    run(scenario())


def test_prompts_go_with_the_events(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            keeper = Prompts(tenants=[TENANT, "acme"], log=live.log)
            for number in range(3):
                for tenant in (TENANT, "acme"):
                    keeper.keep(tenant, (tenant + str(number)).encode(), "a question")
            await asyncio.sleep(0)
            await live.say(*said(1))
            await retention.drop(TENANT)
        with engine.connect() as connection:
            assert connection.execute(sa.select(prompts.c.tenant)).scalars().all() == ["acme"] * 3

    run(scenario())


def test_a_gateway_does_it_by_itself(start: Start, upstream: Upstream) -> None:
    tenant = {"id": "acme-inc", "key_env": "ACME_KEY", "retention_days": 3 / 86_400}
    models = [card("one", upstream.url), card("two", upstream.url)]
    gateway = start({"models": models, "tenants": [tenant]}, ACME_KEY=ACME, POLYCULTURE_RETENTION_EVERY_S="0.2")
    ask(gateway, KEY, "an ordinary question")
    ask(gateway, ACME, "another")
    (kept,) = eventually(lambda: gateway.records(Checkpoint))
    assert kept.tenant == "acme-inc"
    eventually(lambda: [each.tenant for each in gateway.records(Decision)] == ["default"])
    assert verified(gateway) == 2


def test_texts_that_went_are_in_no_file_of_a_running_gateway(start: Start, upstream: Upstream) -> None:
    tenant = {"id": "acme-inc", "key_env": "ACME_KEY", "retention_days": 5 / 86_400, "store_prompts": True}
    models = [card("one", upstream.url), card("two", upstream.url)]
    gateway = start({"models": models, "tenants": [tenant]}, ACME_KEY=ACME, POLYCULTURE_RETENTION_EVERY_S="0.2")
    ask(gateway, ACME, "MARKER-of-a-prompt")
    assert b"MARKER" in files(gateway.data_dir)
    eventually(lambda: gateway.records(Checkpoint))
    eventually(lambda: b"MARKER" not in files(gateway.data_dir))
    ask(gateway, KEY, "an ordinary question")
    assert verified(gateway) == 2


def test_the_write_ahead_log_is_emptied_once_nobody_reads_it(
    run: Run, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_S", 0.05)

    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            told = msgspec.structs.replace(feedback("a", 0.5), comment="MARKER-of-a-comment")
            await live.say(decision("a"), answer("a"), told, decision("a"))
            with engine.connect() as reader, moment(reader):
                reader.execute(sa.select(sa.func.count()).select_from(events)).scalar()
                await retention.drop(TENANT)
                monkeypatch.setattr(module, "PATIENCE_S", 0.2)
                await retention.leave_no_trace()
                assert b"MARKER" in files(tmp_path)
            monkeypatch.setattr(module, "PATIENCE_S", 60.0)
            await retention.leave_no_trace()
            assert b"MARKER" not in files(tmp_path)
            await live.say(feedback("b", 1.0))
            check(live, engine)

    run(scenario())


def test_who_is_erased_is_named_by_no_checkpoint_either(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kept(engine, tmp_path) as (live, retention):
            await live.say(TrustTuned(parameters="{}", keys=False), tenant=EVERYONE)
            for number in range(5):
                await live.say(*said(number), source="key/ann@home")
            await retention.drop(TENANT)
            erasures = Erasures(
                engine=engine,
                log=live.log,
                learner=live.learner,
                audit=Audit(installation=Installation(data_dir=tmp_path)),
                ring=KeyRing(principals={}),
                embeddings=Embeddings(embedder=load("static"), wait_s=1.0, cache=0),
            )
            lessons = live.learner.fold.lessons
            assert named(tmp_path)
            whose = Identity(kind="user", tenant=TENANT, name="key/ann@home")
            begun = await erasures.begin(whose, by=Identity(kind="key", tenant="", name="admin"))
            assert (await begun.ended).step == "finished"
            assert not named(tmp_path)
            assert live.learner.fold.lessons == lessons
            check(live, engine)

    run(scenario())


def named(folder: Path) -> bool:
    """Whether any file speaks of Ann, in any encoding, or by her number."""
    data = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    names = ["ann@home".encode(encoding) for encoding in ("utf-8", "utf-32-le", "utf-16-le")]
    return any(name in data for name in (*names, number(TENANT, "key/ann@home").to_bytes(8, "little", signed=True)))
