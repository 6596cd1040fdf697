"""Whatever the mix of appends, work and refusals: the log is what was accepted, in order."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.database import FILE, connect, migrate
from gateway.events import Answer, Decision
from gateway.log import Log
from gateway.transaction import Transaction
from tests.log.conftest import Run, until
from tests.log.samples import TENANT, answer, decision


class Refused(Exception):
    """What a piece of work raises."""


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


Step = st.sampled_from(["decision", "lazy", "work", "refusal", "turn", "wait"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(Step, max_size=60))
def test_whatever_the_mix_the_log_is_what_was_accepted(
    run: Run, tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    engine = connect(folder)
    migrate(engine)
    expected: list[bytes] = []
    seen: list[bytes | None] = []

    def work(transaction: Transaction, *, number: int, refuse: bool) -> bool:
        transaction.append(decision("w"), tenant=TENANT, subject=name(number))
        if refuse:
            raise Refused
        return True

    async def scenario() -> None:
        log = Log(engine=engine, committed=lambda records: seen.extend(each.subject for each in records))
        log.start(asyncio.get_running_loop())
        waiting: list[asyncio.Future[bool]] = []
        for number, step in enumerate(steps):
            if step in ("decision", "lazy"):
                event: Decision | Answer = decision("d") if step == "decision" else answer("d")
                waiting.append(log.append(event, tenant=TENANT, subject=name(number), lazy=step == "lazy"))
                expected.append(name(number))
            elif step in ("work", "refusal"):
                refuse = step == "refusal"
                task = asyncio.ensure_future(log.transact(partial(work, number=number, refuse=refuse)))
                await asyncio.sleep(0)
                waiting.append(task)
                expected.extend([] if refuse else [name(number)])
            elif step == "turn":
                await asyncio.sleep(0)
            else:
                await until(lambda: log.pending < 3)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(result is not False for result in results)
        await log.stop()

    run(scenario())
    with closing(sqlite3.connect(folder / FILE)) as connection:
        stored = connection.execute("SELECT subject FROM events ORDER BY seq").fetchall()
    assert [subject for (subject,) in stored] == expected
    assert seen == expected
