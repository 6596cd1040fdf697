"""The event log: append-only, ordered, durable, with group commit.

The event loop never waits for the disk. What is appended while the writer works becomes its next batch: one
transaction, one fsync. Then each append's future resolves, and the committed records reach the fold in log order.

When the disk fails or hangs, serving goes on: futures resolve to ``False`` (served, not yet durable), appended
events are kept in a bounded backlog and written once the disk is back, and transactions are refused.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from gateway.events import Event, encode
from gateway.transaction import MOST_ROWS, Record, Transaction
from gateway.writer import Job, LogUnavailable, Writer

__all__ = ["Log", "LogUnavailable"]

T = TypeVar("T")

_logger = structlog.get_logger("polyculture.log")

#: How long an event that nobody waits for may wait for others to share an fsync with, in seconds.
LAZY_S = 0.05

#: A batch of so many says that many ask at once: then the next one waits for others too, this long in seconds. It costs
#: them little, and spares a commit, a turn of the writer and one of the loop.
CROWD, CROWDED_S = 8, 0.001


class Log:
    """The log as the event loop sees it. ``committed`` is called there with each batch's records, in log order.

    Of tenants in ``forgotten``, who are being erased, no event is taken any more.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        committed: Callable[[Sequence[Record]], None],
        stuck_s: float = 1.0,
        backlog: int = 50_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._committed = committed
        self._stuck_s = stuck_s
        self._backlog = backlog
        self._clock = clock
        self._writer = Writer(
            engine=engine,
            delivered=partial(self._post, self._delivered),
            failed=partial(self._post, self._give_up),
        )
        self._staged: deque[Job] = deque()
        self._staged_at = 0.0
        self._awaited = self._crowded = False
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._flying: deque[list[Job]] = deque()
        self._oldest_at = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._stopping = False
        self.forgotten: set[str] = set()
        self.dropped = 0
        self.healthy = True

    @property
    def pending(self) -> int:
        """Events and transactions that are not written yet."""
        return len(self._staged) + sum(map(len, self._flying))

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the writer; call once."""
        self._loop = loop
        self._writer.start()
        self._watch()

    async def stop(self, *, timeout_s: float = 10.0) -> None:
        """Write what is queued, then stop; gives up on a disk that fails, and after ``timeout_s`` on one that hangs."""
        self._stopping = True
        while self._staged:
            self._hand_over()
        await asyncio.to_thread(self._writer.stop, timeout_s=timeout_s)
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._give_up_waiting()
        if self.pending or self.dropped:
            _logger.error("events_lost", events=self.pending + self.dropped)

    def append(
        self,
        event: Event,
        *,
        tenant: str,
        subject: bytes | None = None,
        source: str | None = None,
        lazy: bool = False,
    ) -> asyncio.Future[bool]:
        """Queue an event; the future tells whether it is durable: ``False`` when the log is unhealthy.

        A ``lazy`` event is one that nobody waits for: it is written with the next batch, or soon by itself. Raises
        what encoding raises, on an event that cannot be stored.
        """
        payload = encode(event)
        future: asyncio.Future[bool] = self._loop.create_future()
        job = Job(future, int(self._clock() * 1e6), tenant, subject, source, event, payload)
        if tenant in self.forgotten:
            job.refuse()
            return future
        if self._stopping or self.pending >= self._backlog:
            self.dropped += 1
            job.refuse()
            return future
        if not self.healthy and self.pending:  # with nothing pending, this event is itself the probe
            job.refuse()
        self._stage(job, lazy=lazy)
        return future

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in the writer's thread and transaction, and return its result once that is durable.

        Raises :class:`LogUnavailable` when the log cannot be written in time (work that has begun by then may still
        be written later), and whatever ``work`` raises, which then leaves no trace.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        job = Job(future, int(self._clock() * 1e6), work=work)
        if self._stopping or self.pending >= self._backlog or (self.pending and not self.healthy):
            job.refuse()
        else:
            self._stage(job)
        return await future

    def _stage(self, job: Job, *, lazy: bool = False) -> None:
        """Queue a job; what comes while the writer works goes to it together."""
        if not lazy and not self._awaited:
            self._awaited, self._staged_at = True, self._loop.time()
        self._staged.append(job)
        if not self._flying:
            self._call()

    def _call(self) -> None:
        """Hand over what is staged: at this turn's end, or soon where nobody waits for it, or many do."""
        wait_s = LAZY_S if not self._awaited else CROWDED_S if self._crowded else 0.0
        due = self._loop.time() + wait_s
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due, self._timer = due, self._loop.call_later(wait_s, self._hand_over)

    def _hand_over(self) -> None:
        """Give the writer its next batch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._staged or (self._flying and not self._stopping):
            return
        batch = [self._staged.popleft() for _ in range(min(MOST_ROWS, len(self._staged)))]
        now = self._loop.time()
        self._oldest_at, self._staged_at = self._staged_at if self.healthy and self._awaited else now, now
        self._awaited, self._crowded = self._awaited and bool(self._staged), len(batch) >= CROWD
        self._flying.append(batch)
        self._writer.put(batch)

    def _delivered(self, results: list[Any] | None, records: list[Record]) -> None:
        batch = self._flying.popleft()
        if self._staged:
            self._call()
        if results is None:
            self._lost(batch, records)
        else:
            for job, result in zip(batch, results, strict=True):
                job.resolve(result)
        if records and not self.healthy:
            self.healthy = True
            _logger.info("log_available", pending=self.pending)
        self._committed(records)

    def _lost(self, batch: list[Job], records: list[Record]) -> None:
        """Nobody waits for this batch's results; where it left no records, its events are gone."""
        for job in batch:
            job.refuse()
            self.dropped += job.event is not None and not records

    def _watch(self) -> None:
        """Nobody waits longer than ``stuck_s`` for a disk that hangs."""
        if self._flying and self._loop.time() - self._oldest_at > self._stuck_s:
            self._give_up()
        self._watchdog = self._loop.call_later(self._stuck_s / 4, self._watch)

    def _give_up(self) -> None:
        if self.healthy:
            _logger.error("log_unavailable", pending=self.pending)
        self.healthy = False
        self._give_up_waiting()

    def _give_up_waiting(self) -> None:
        for job in chain(*self._flying, self._staged):
            job.refuse()

    def _post(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)
