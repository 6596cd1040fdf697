"""A database of its own for each test, a log on it, and the loop that the gateway runs on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any, Protocol

import pytest
import sqlalchemy as sa
import uvloop
from structlog.testing import capture_logs

from gateway.database import FILE, connect, migrate
from gateway.log import Log
from gateway.transaction import Record

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Logged = list[MutableMapping[str, Any]]

#: Longest wait for anything in a test, in seconds.
PATIENCE_S = 30.0


class Opened(Protocol):
    """Opens a log; the list gets what it commits, a batch an item."""

    def __call__(self, **options: Any) -> AbstractAsyncContextManager[tuple[Log, list[list[Record]]]]: ...


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """The lines that the gateway logs meanwhile."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = connect(tmp_path)
    migrate(engine)
    return engine


@pytest.fixture
def other(engine: sa.Engine, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of another process, as far as SQLite is concerned."""
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def run() -> Run:
    """Run a coroutine to its end; it may leave no task behind, and no callback may fail."""

    async def watched(scenario: Coroutine[Any, Any, Any]) -> Any:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await asyncio.wait_for(scenario, PATIENCE_S)
        await asyncio.sleep(0)
        assert not complaints
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    def runner(scenario: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            return loop.run(watched(scenario))

    return runner


@pytest.fixture
def opened(engine: sa.Engine) -> Opened:
    @asynccontextmanager
    async def open_log(**options: Any) -> AsyncIterator[tuple[Log, list[list[Record]]]]:
        batches: list[list[Record]] = []
        made = {"engine": engine, "committed": lambda records: batches.append(list(records))}
        log = Log(**{**made, **options})
        log.start(asyncio.get_running_loop())
        try:
            yield log, batches
        finally:
            await log.stop()

    return open_log


async def until(check: Callable[[], Any]) -> Any:
    """The first true value that ``check()`` returns, within patience."""
    for _ in range(int(PATIENCE_S / 0.005)):
        if found := check():
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")
