"""What was spent: sums by tenant, key, model and day (UTC) of the answers in the log.

Sums are written for many answers together, with the position of the log that they reach: what lies beyond it is added
before anybody looks, and after a crash. They outlive what they are made from: no deletion gives money back. Of an
erased tenant they stay without any name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from gateway.database import begin
from gateway.events import Answer, decode
from gateway.limits.budget import DAY_S, MOST, month_start, nanodollars
from gateway.schema import events, spend, spend_mark

DAY_US = 86_400_000_000

#: Answers whose sums are written together.
TOGETHER = 256

#: What sums can be by.
COLUMNS = ("tenant", "key", "model", "day")

#: What a sum is of, in the order of its columns.
Place = tuple[str, str, str, int]


class Sum(NamedTuple):
    """Requests, those of them whose tokens were estimated, tokens, and nanodollars."""

    requests: int = 0
    estimated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0

    def plus(self, other: Sum) -> Sum:
        """Both together; no figure grows beyond what the database can hold."""
        return Sum(*(min(ours + theirs, MOST) for ours, theirs in zip(self, other, strict=True)))


NOTHING = Sum()


class Summed(NamedTuple):
    """A sum, and what it is of."""

    place: dict[str, Any]
    sum: Sum


class Tally:
    """What answers add that the sums in the database do not hold yet."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know of none: they never came to be, or are in the log."""
        self._sums: dict[Place, Sum] = {}
        self._answers = 0

    @property
    def empty(self) -> bool:
        """Whether there are none."""
        return not self._sums

    @property
    def due(self) -> bool:
        """Whether they are enough to be written."""
        return self._answers >= TOGETHER

    def add(self, answer: Answer, *, tenant: str, at: int) -> None:
        """An answer given ``at`` microseconds since the epoch."""
        counted = answer.counted
        place = (tenant, answer.key, answer.answered, at // DAY_US)
        more = Sum(
            1,
            answer.estimate is not None,
            counted.input_tokens,
            counted.output_tokens,
            nanodollars(counted.cost),
        )
        self._sums[place] = self._sums.get(place, NOTHING).plus(more)
        self._answers += 1

    def flush(self, connection: sa.Connection, *, upto: int) -> None:
        """Add it to what the database holds, which then are the sums of the log up to a position."""
        if rows := [(*place, *each) for place, each in self._sums.items()]:
            connection.exec_driver_sql(_ADD, rows if len(rows) > 1 else rows[0])
        connection.exec_driver_sql("UPDATE spend_mark SET position = ?", (upto,))
        self.clear()


def catch_up(connection: sa.Connection) -> None:
    """Bring the sums up to the log's end, in a transaction of its own where they are not."""
    mark = connection.execute(sa.select(spend_mark.c.position)).scalar_one()
    last = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
    tally = Tally()
    beyond = sa.select(events.c.payload, events.c.tenant, events.c.at)
    for payload, tenant, at in connection.execute(beyond.where(events.c.seq > mark, events.c.kind == Answer.kind)):
        answer = decode(Answer.kind, payload)
        assert isinstance(answer, Answer)
        tally.add(answer, tenant=tenant, at=at)
    if not tally.empty or last < mark:  # behind the mark, positions are given anew
        with begin(connection):
            tally.flush(connection, upto=last)


class Spent(NamedTuple):
    """Nanodollars of a key in the day that it is, and in the month."""

    tenant: str
    key: str
    day: int
    month: int


def recent(connection: sa.Connection, *, now: float) -> list[Spent]:
    """What was spent in the day and the month that it is ``now``, in seconds since the epoch."""
    today, first = int(now // DAY_S), int(month_start(now) // DAY_S)
    of_today = _total(sa.case((spend.c.day == today, spend.c.cost), else_=0))
    query = (
        sa.select(spend.c.tenant, spend.c.key, of_today, _total(spend.c.cost))
        .where(spend.c.day >= first, spend.c.day <= today)
        .group_by(spend.c.tenant, spend.c.key)
    )
    return [Spent(*row) for row in connection.execute(query)]


def sums(connection: sa.Connection, *, by: Sequence[str], days: tuple[int, int], **whose: str | None) -> list[Summed]:
    """Sums by these columns, in these days since the epoch, of one tenant, key, or model where it is given."""
    columns = [spend.c[name] for name in by]
    query = sa.select(*columns, *(_total(spend.c[name]) for name in Sum._fields))
    query = query.where(spend.c.day >= days[0], spend.c.day <= days[1])
    query = query.where(*(spend.c[name] == value for name, value in whose.items() if value is not None))
    rows = connection.execute(query.group_by(*columns).order_by(*columns))
    return [Summed(dict(zip(by, row, strict=False)), Sum(*row[len(by) :])) for row in rows]


def disown(connection: sa.Connection, tenant: str) -> None:
    """Leave a tenant's sums to nobody: by model and day, without names."""
    sums = [_total(spend.c[name]) for name in Sum._fields]
    theirs = sa.select(spend.c.model, spend.c.day, *sums).where(spend.c.tenant == tenant)
    rows = [
        ("", "", *row[:2], *NOTHING.plus(Sum(*row[2:])))
        for row in connection.execute(theirs.group_by(spend.c.model, spend.c.day))
    ]
    connection.execute(spend.delete().where(spend.c.tenant == tenant))
    for row in rows:
        connection.exec_driver_sql(_ADD, row)


def _total(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """A sum, exact up to :data:`MOST`; SQLite's own fails beyond what 64 bits hold."""
    return sa.cast(sa.func.total(column), sa.BigInteger)


_NAMES = [column.name for column in spend.columns]
_ADD = (
    f"INSERT INTO spend ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))}) "
    "ON CONFLICT (tenant, key, model, day) DO UPDATE SET "
    + ", ".join(f"{name} = min({name} + excluded.{name}, {MOST})" for name in Sum._fields)
)
