"""One transaction of the event log, as the writer's thread sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gateway.database import send
from gateway.events import Answer, Event, decode, encode
from gateway.ledger import Tally
from gateway.schema import events

T = TypeVar("T")

#: Most rows in one statement: far from any database's limit on parameters.
MOST_ROWS = 128


class Record(NamedTuple):
    """An event in its place: ``at`` in microseconds since the epoch, ``subject`` a decision's id."""

    seq: int
    at: int
    kind: str
    tenant: str
    subject: bytes | None
    source: str | None
    event: Event


class Transaction:
    """The writer's view of the log: sees everything appended before it, appends in order.

    ``at`` is in microseconds since the epoch; ``tally`` holds what earlier answers add to the ledger.
    """

    def __init__(self, *, connection: sa.Connection, position: int, at: int = 0, tally: Tally | None = None) -> None:
        self.connection = connection
        self.position = position
        self.at = at
        self.records: list[Record] = []
        self._values: list[Any] = []
        self._tally = Tally() if tally is None else tally

    def append(
        self,
        event: Event,
        *,
        tenant: str,
        subject: bytes | None = None,
        source: str | None = None,
        payload: bytes | None = None,
    ) -> None:
        """Add an event at the log's end; ``payload`` is its encoding, where that is known already."""
        if len(self._values) == MOST_ROWS * len(events.c):
            self.flush()
        self.position += 1
        self.records.append(Record(self.position, self.at, event.kind, tenant, subject, source, event))
        if isinstance(event, Answer):
            self._tally.add(event, tenant=tenant, at=self.at)
        payload = encode(event) if payload is None else payload
        self._values += (self.position, self.at, event.kind, tenant, subject, source, payload)

    def about(self, subject: bytes) -> list[Record]:
        """All records of a decision, oldest first."""
        self.flush()
        return read(self.connection, events.c.subject == subject)

    def flush(self) -> None:
        """Send what was appended on to the database, in one statement."""
        if self._values:
            statement = _insertion(self.connection.dialect, len(self._values) // len(events.c))
            send(self.connection, statement, tuple(self._values))
            self._values = []

    def settle(self) -> None:
        """Send on what was appended, and what is not in the ledger yet."""
        self.flush()
        if not self._tally.empty:
            self._tally.flush(self.connection, upto=self.position)

    def attempt(self, work: Callable[[Transaction], T]) -> T:
        """The result of ``work``, for which the ledger is up to date; where it raises anything, it leaves no trace."""
        self.settle()
        position, count = self.position, len(self.records)
        self.connection.exec_driver_sql("SAVEPOINT work")
        try:
            result = work(self)
            self.flush()
        except SQLAlchemyError:
            raise  # the whole transaction fails
        except Exception:
            self.connection.exec_driver_sql("ROLLBACK TO work")
            self.position, self._values = position, []
            self._tally.clear()
            del self.records[count:]
            raise
        self.connection.exec_driver_sql("RELEASE work")
        return result


@cache
def _insertion(dialect: sa.Dialect, rows: int) -> str:
    """The table's INSERT for so many rows: the driver sends them on in one go, without taking turns with the loop."""
    head, _, row = str(events.insert().compile(dialect=dialect)).partition(" VALUES ")
    return f"{head} VALUES {', '.join([row] * rows)}"


def read(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Record]:
    """The records that match, in log order."""
    return list(stream(connection, *where))


def stream(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[Record]:
    """The records that match, in log order, with flat memory however many there are."""
    query = sa.select(events).where(*where).order_by(events.c.seq).execution_options(yield_per=1000)
    for rows in connection.execute(query).partitions():
        yield from map(_record, rows)


def _record(row: Sequence[Any]) -> Record:
    seq, at, kind, tenant, subject, source, payload = row
    return Record(seq, at, kind, tenant, subject, source, decode(kind, payload))
