"""The log's thread: takes batches, commits each as one transaction, and does not let go of one that fails."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from gateway.database import begin
from gateway.events import Event
from gateway.ledger import Tally, catch_up
from gateway.schema import events
from gateway.transaction import Record, Transaction, read

_logger = structlog.get_logger("polyculture.log")

#: How long the writer waits before it tries a failed batch again, in seconds.
RETRY_S = 0.5

#: Database errors that no waiting mends.
OUR_FAULTS = (DataError, IntegrityError, ProgrammingError)


class LogUnavailable(RuntimeError):
    """The log cannot be written now."""


class Job(NamedTuple):
    """Either an event to append, encoded already, or a piece of work to run inside the writer's transaction."""

    future: asyncio.Future[Any]
    at: int
    tenant: str = ""
    subject: bytes | None = None
    source: str | None = None
    event: Event | None = None
    payload: bytes | None = None
    work: Callable[[Transaction], Any] | None = None

    def run(self, transaction: Transaction) -> Any:
        """What the waiter gets: a result, or the error that the work refused with. Database errors are raised."""
        transaction.at = self.at
        if self.event is not None:
            transaction.append(
                self.event, tenant=self.tenant, subject=self.subject, source=self.source, payload=self.payload
            )
            return True
        if self.work is None or self.future.done():
            return None  # refused or cancelled meanwhile
        try:
            return transaction.attempt(self.work)
        except SQLAlchemyError:
            raise
        except Exception as error:
            return error

    def resolve(self, result: Any) -> None:
        """Tell the waiter, if there still is one; on the event loop."""
        if self.future.done():
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)

    def refuse(self) -> None:
        """Let nobody wait any longer; on the event loop."""
        self.resolve(False if self.work is None else LogUnavailable("the event log cannot be written now"))


#: Told of each batch's end, in order: each job's result, and what the log has more now. Without results nobody waits
#: any longer; without records too, the batch is lost.
Delivered = Callable[[list[Any] | None, list[Record]], None]


class Writer:
    """One thread and its connection. ``delivered`` and ``failed`` (now trying again) are called in that thread."""

    def __init__(self, *, engine: sa.Engine, delivered: Delivered, failed: Callable[[], None]) -> None:
        self._engine = engine
        self._delivered = delivered
        self._failed = failed
        self._queue: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="polyculture-log", daemon=True)
        self._stopping = threading.Event()
        self._connection: sa.Connection | None = None
        self._position: int | None = None
        self._tally = Tally()
        self._attempted: list[Record] = []

    def start(self) -> None:
        """Start the thread; call once."""
        self._thread.start()

    def put(self, batch: list[Job]) -> None:
        """Have a batch written after those before it."""
        self._queue.put(batch)

    def stop(self, *, timeout_s: float) -> None:
        """Write what was put, trying each batch only once more, and end; blocks for ``timeout_s`` at most."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            self._delivered(*self._persist(batch))
        self._close()

    def _persist(self, batch: list[Job]) -> tuple[list[Any] | None, list[Record]]:
        """Commit a batch, however often that takes; a commit that reported a failure may have been written."""
        found: list[Record] = []
        self._attempted = []
        while True:
            try:
                found += self._open()
                if self._attempted and _places(found)[-len(self._attempted) :] == _places(self._attempted):
                    return None, found
                results, records = self._commit(batch)
                return results, found + records
            except Exception as error:
                self._close()
                if not isinstance(error, SQLAlchemyError | OSError) or isinstance(error, OUR_FAULTS):
                    _logger.exception("log_batch_lost", events=len(batch))
                    return None, found  # better lose this batch than the writer
                _logger.error("log_write_failed", error=str(getattr(error, "orig", error)), events=len(batch))
                self._failed()
                if self._stopping.wait(RETRY_S):
                    return None, found

    def _open(self) -> list[Record]:
        """Connect where there is no connection. Returns what the log holds after the position known so far."""
        if self._connection is not None:
            return []
        self._connection = self._engine.connect()
        self._tally.clear()
        catch_up(self._connection)
        missed = [] if self._position is None else read(self._connection, events.c.seq > self._position)
        self._position = self._connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
        return missed

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _commit(self, batch: list[Job]) -> tuple[list[Any], list[Record]]:
        """One transaction for the whole batch; where it only appends, that is one statement."""
        assert self._connection is not None
        assert self._position is not None
        transaction = Transaction(connection=self._connection, position=self._position, tally=self._tally)
        self._attempted = transaction.records
        several = self._tally.due or any(job.work is not None for job in batch)
        with begin(self._connection) if several else nullcontext():
            if self._tally.due:
                transaction.settle()
            results = [job.run(transaction) for job in batch]
            transaction.flush()
        self._position = transaction.position
        return results, transaction.records


def _places(records: list[Record]) -> list[tuple[object, ...]]:
    """Where records stand and whom they concern: enough to know them again."""
    return [each[:-1] for each in records]
