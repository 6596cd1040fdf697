"""What the gate finds is told and done once, across restarts, and nothing of it outlives a tenant."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from gateway.controls import control
from gateway.events import Erased, FeedbackExcluded
from gateway.gate.acts import Drifted
from gateway.schema import events
from gateway.transaction import Transaction
from router_models.alarm import Alarm
from tests.gate.forged import permuted
from tests.gate.guarded import guarded
from tests.log.conftest import Run, until
from tests.log.samples import TENANT, answer


@pytest.mark.parametrize("mode", ["auto", "manual"])
def test_a_trial_that_a_restart_interrupts_begins_again(run: Run, engine: sa.Engine, tmp_path: Path, mode: str) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, mode=mode) as here:
            await here.serve(400)
            if mode == "manual":
                await here.guard.promotion.promote("live", tenant=TENANT)
            good = here.learner.published(TENANT).version
            archive = await here.versions.export("live", tenant=TENANT)
            await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            if mode == "manual":
                await here.guard.promotion.promote("live", tenant=TENANT, force=True)
            assert here.gate.standing(TENANT).trial is not None
        async with guarded(engine, tmp_path, mode=mode) as again:
            await again.serve(10)
            trial = again.gate.standing(TENANT).trial
            assert trial is not None
            trusted = again.gate.standing(TENANT).trusted
            assert trusted is not None
            assert mode == "auto" or trusted.version == good
            await again.until(lambda: again.audited("gate.rollback"))
            await again.learner.settled()
            assert again.shares()["c"] > 0.5
            again.check()
        async with guarded(engine, tmp_path, mode=mode) as then:
            await then.serve(10)
            assert then.gate.standing(TENANT).trial is None

    run(scenario())


def test_a_trial_goes_on_where_the_past_has_become_another(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(400)
            archive = await here.versions.export("live", tenant=TENANT)
            await here.steering.bring(permuted(archive), tenant=TENANT, forced=True)
            await here.serve(10)
            await here.live.rule(FeedbackExcluded(1, 100, "revoked"))
            trial = here.gate.standing(TENANT).trial
            assert trial is not None
            assert trial.outcomes == 0
            await here.until(lambda: here.audited("gate.rollback"))
            await here.learner.settled()
            assert here.shares()["c"] > 0.5
            assert here.gate.standing(TENANT).trial is None
            here.check()

    run(scenario())


def test_what_drifts_is_told_and_audited(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(150)
            here.good["c"] = 0.0
            await here.until(lambda: here.metric("drift_alarms_total", kind="outcomes", model="c"))
            entries = await until(lambda: here.audited("drift.alarm"))
            told = json.loads(entries[0].detail)
            assert (told["kind"], told["model"]) == ("outcomes", "c")
            assert entries[0].subject.startswith("tenant:")
            await here.learner.settled()
            here.check()

    run(scenario())


def test_latency_is_told_of_a_model_and_of_no_tenant(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        rng = np.random.default_rng(0)
        async with guarded(engine, tmp_path) as here:
            for seconds in [*rng.gamma(4.0, 0.1, 300), *rng.gamma(4.0, 0.4, 100)]:
                late = msgspec.structs.replace(answer("b", cost=None), first_byte=float(seconds))
                here.live.log.append(late, tenant=TENANT, subject=bytes(16))
            await until(lambda: here.metric("drift_alarms_total", kind="latencies", model="b"))
            (entry,) = await until(lambda: here.audited("drift.alarm"))
            assert entry.subject == ""
            assert json.loads(entry.detail)["ratio"] > 2
            await here.learner.settled()
            here.check()

    run(scenario())


def test_what_the_log_cannot_take_now_is_told_later(
    run: Run, engine: sa.Engine, tmp_path: Path, other: sqlite3.Connection
) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path, stuck_s=0.5) as here:
            other.execute("BEGIN IMMEDIATE")
            here.gate.acts.append(Drifted(tenant=TENANT, position=1, alarm=Alarm("prompts", 100)))
            here.gate.on_act()
            await until(lambda: not here.live.log.healthy)
            other.execute("COMMIT")
            assert not here.audited("drift.alarm")
            await until(lambda: here.audited("drift.alarm"))
            assert here.metric("drift_alarms_total", kind="prompts", model="") == 1

    run(scenario())


def test_nothing_is_kept_of_a_tenant_that_was_erased(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with guarded(engine, tmp_path) as here:
            await here.serve(60, tenant="acme")
            await here.serve(60)
            assert len(here.gate.standing("acme").evidence) == 60
            here.learner.erasing["token"] = "acme"

            def erase(transaction: Transaction) -> None:
                transaction.connection.execute(events.delete().where(events.c.tenant == "acme"))
                control(transaction, Erased(1, "token"))

            await here.live.log.transact(erase)
            await here.learner.settled()
            assert len(here.gate.standing("acme").evidence) == 0
            assert len(here.gate.standing(TENANT).evidence) == 60
            here.check()

    run(scenario())
