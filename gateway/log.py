"""The event log: append-only, ordered, durable, written by one thread with group commit.

The event loop never waits for the disk. Whatever is queued when the writer comes round goes into one transaction and
one fsync; then each append's future resolves, and the committed records reach the fold in log order.

When the disk fails or hangs, serving goes on: futures resolve to ``False`` (served, not yet durable), appended
events are kept in a bounded backlog and written once the disk is back, and transactions are refused.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.database import begin
from gateway.events import Event
from gateway.schema import events
from gateway.transaction import Record, Transaction, attempt, read

T = TypeVar("T")

_logger = structlog.get_logger("polyculture.log")

#: How long the writer waits before it tries a failed batch again, in seconds.
RETRY_S = 0.5


class LogUnavailable(RuntimeError):
    """The log cannot be written now."""


class _Job(NamedTuple):
    """Either an event to append, or a piece of work to run inside the writer's transaction."""

    future: asyncio.Future[Any]
    at: int
    tenant: str
    subject: bytes | None
    source: str | None
    event: Event | None
    work: Callable[[Transaction], Any] | None = None


class Log:
    """The writer. ``committed`` is called on the event loop with each batch's records, in log order."""

    def __init__(
        self,
        *,
        engine: sa.Engine,
        committed: Callable[[Sequence[Record]], None],
        stuck_s: float = 1.0,
        backlog: int = 50_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._committed = committed
        self._stuck_s = stuck_s
        self._backlog = backlog
        self._clock = clock
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting: dict[asyncio.Future[Any], None] = {}
        self._thread = threading.Thread(target=self._write, name="polyculture-log", daemon=True)
        self._watchdog: asyncio.TimerHandle | None = None
        self._connection: sa.Connection | None = None
        self._position: int | None = None
        self._progress = 0
        self.pending = 0
        self.dropped = 0
        self.healthy = True

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the writer; call once."""
        self._loop = loop
        self._thread.start()
        self._watch(self._progress)

    async def stop(self, *, timeout_s: float = 10.0) -> None:
        """Write what is queued, then stop; gives up after ``timeout_s`` on a disk that hangs."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, timeout_s)
        await asyncio.sleep(0)

    def append(
        self, event: Event, *, tenant: str, subject: bytes | None = None, source: str | None = None
    ) -> asyncio.Future[bool]:
        """Queue an event; the future tells whether it is durable: ``False`` when the log is unhealthy."""
        future: asyncio.Future[bool] = self._loop.create_future()
        if self.pending >= self._backlog:
            self.dropped += 1
            future.set_result(False)
            return future
        self._put(_Job(future, int(self._clock() * 1e6), tenant, subject, source, event))
        if not self.healthy:
            future.set_result(False)
        return future

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in the writer's thread and transaction, and return its result once that is durable.

        Raises :class:`LogUnavailable` when the log cannot be written, and whatever ``work`` raises.
        """
        if self.pending >= self._backlog or (self.pending and not self.healthy):
            raise LogUnavailable  # with nothing pending, this work is itself the probe
        future: asyncio.Future[Any] = self._loop.create_future()
        self._put(_Job(future, int(self._clock() * 1e6), "", None, None, None, work))
        result = await future
        if result is False:
            raise LogUnavailable
        return result  # type: ignore[no-any-return]

    def _put(self, job: _Job) -> None:
        self.pending += 1
        self._waiting[job.future] = None
        self._queue.put(job)

    def _watch(self, progress: int) -> None:
        """Nothing written since the last look, and something waits: the disk hangs, so nobody waits for it."""
        if self._waiting and self._progress == progress:
            self._give_up()
        self._watchdog = self._loop.call_later(self._stuck_s, self._watch, self._progress)

    def _give_up(self) -> None:
        if self.healthy:
            _logger.error("log_unavailable", pending=self.pending)
        self.healthy = False
        for future in self._waiting:
            if not future.done():
                future.set_result(False)
        self._waiting.clear()

    def _write(self) -> None:
        """The writer's thread: take what is queued, commit it as one, deliver; keep what failed, and try again."""
        batch: list[_Job] = []
        running = True
        while running or batch:
            try:
                recovered = self._open()
                if recovered:
                    self._post(self._deliver, batch, [True] * len(batch), recovered)
                    batch = []
                running = self._take(batch) and running
                results, records = self._commit(batch)
            except (SQLAlchemyError, OSError) as error:
                self._close()
                if not running:
                    return
                _logger.error("log_write_failed", error=str(error), events=len(batch))
                self._post(self._refuse, [job for job in batch if job.work is not None])
                batch = [job for job in batch if job.work is None]
                time.sleep(RETRY_S)
            else:
                self._post(self._deliver, batch, results, records)
                batch = []
        self._close()

    def _open(self) -> list[Record]:
        """Connect where there is no connection. Returns what a commit wrote although it reported a failure."""
        if self._connection is not None:
            return []
        self._connection = self._engine.connect()
        missed = [] if self._position is None else read(self._connection, events.c.seq > self._position)
        self._position = self._connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
        return missed

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _post(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _take(self, batch: list[_Job]) -> bool:
        """Add all that is queued to ``batch``, waiting only when it is empty. False: told to stop."""
        job = self._queue.get() if not batch else None
        while True:
            if job is not None:
                batch.append(job)
            elif not batch and self._queue.empty():
                return False
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return True
            if job is None:
                return False

    def _commit(self, batch: list[_Job]) -> tuple[list[Any], list[Record]]:
        """One transaction for the whole batch."""
        assert self._connection is not None
        assert self._position is not None
        results: list[Any] = []
        with begin(self._connection):
            transaction = Transaction(connection=self._connection, position=self._position, at=0)
            for job in batch:
                transaction.at = job.at
                if job.event is not None:
                    transaction.append(job.event, tenant=job.tenant, subject=job.subject, source=job.source)
                    results.append(True)
                elif job.work is not None:
                    results.append(attempt(job.work, transaction))
            transaction.flush()
        self._position = transaction.position
        return results, transaction.records

    def _refuse(self, refused: list[_Job]) -> None:
        self.pending -= len(refused)
        self._give_up()

    def _deliver(self, batch: list[_Job], results: list[Any], records: list[Record]) -> None:
        self._progress += 1
        self.pending -= len(batch)
        if not self.healthy:
            _logger.info("log_available", written=len(records))
        self.healthy = True
        for job, result in zip(batch, results, strict=True):
            self._waiting.pop(job.future, None)
            if job.future.done():
                continue
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
        self._committed(records)
