"""One transaction of the event log, as the writer's thread sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gateway.events import Event, decode, encode
from gateway.schema import events

_INSERT = events.insert()


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

    Work that refuses must do so before it appends. ``at`` is in microseconds since the epoch.
    """

    def __init__(self, *, connection: sa.Connection, position: int, at: int) -> None:
        self.connection = connection
        self._rows: list[dict[str, Any]] = []
        self.at = at
        self.position = position
        self.records: list[Record] = []

    def append(self, event: Event, *, tenant: str, subject: bytes | None = None, source: str | None = None) -> None:
        """Add an event at the log's end."""
        self.position += 1
        self.records.append(Record(self.position, self.at, event.kind, tenant, subject, source, event))
        self._rows.append(
            {
                "seq": self.position,
                "at": self.at,
                "kind": event.kind,
                "tenant": tenant,
                "subject": subject,
                "source": source,
                "payload": encode(event),
            }
        )

    def about(self, subject: bytes) -> list[Record]:
        """All records of a decision, oldest first."""
        self.flush()
        return read(self.connection, events.c.subject == subject)

    def flush(self) -> None:
        """Send the rows on to the database."""
        if self._rows:
            self.connection.execute(_INSERT, self._rows)
            self._rows = []


def read(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Record]:
    """The records that match, in log order."""
    return [record(row) for row in connection.execute(sa.select(events).where(*where).order_by(events.c.seq))]


def record(row: sa.Row[Any]) -> Record:
    """A row of the events table as a record."""
    return Record(row.seq, row.at, row.kind, row.tenant, row.subject, row.source, decode(row.kind, row.payload))


def attempt(work: Callable[[Transaction], Any], transaction: Transaction) -> Any:
    """The result of ``work``, or the error it refused with; a database failure fails the whole batch."""
    try:
        return work(transaction)
    except SQLAlchemyError:
        raise
    except Exception as error:
        return error
