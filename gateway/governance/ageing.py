"""What retention does on disk, a small piece in each transaction."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.checkpoint import checkpoint
from gateway.controls import Controls
from gateway.events import (
    Audited,
    Checkpoint,
    Decision,
    Event,
    Feedback,
    FeedbackReleased,
    Payment,
    StateImported,
    decode,
    encode,
)
from gateway.fold import Fold
from gateway.governance.belongings import APART, redacted
from gateway.schema import events, metadata, snapshots
from gateway.transaction import Transaction

#: Positions of the log, and rows of other tables, that one piece goes over.
SPAN, ROWS = 2_000, 500

#: The kinds that go; what is rare and names nobody stays.
_AGEING = tuple(
    kind.kind for kind in (Decision, Payment, Feedback, FeedbackReleased, Audited, StateImported, Checkpoint)
)


class Piece(NamedTuple):
    """How many rows a piece concerned, up to which position it went, and whether it was the last."""

    rows: int
    upto: int
    last: bool


class Extent(NamedTuple):
    """A tenant's events that are too old: the first and the last, and whether that is a checkpoint already."""

    first: int
    last: int
    done: bool


def too_old(connection: sa.Connection, *, tenant: str, before: int) -> Extent | None:
    """A tenant's events from before a time (in microseconds since the epoch); ``None`` if there are none."""
    end = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
    mine = sa.and_(
        events.c.tenant == tenant, events.c.kind.in_(_AGEING), events.c.seq <= _until(connection, end, before)
    )
    found = sa.select(events.c.seq, events.c.kind).where(mine)
    first = connection.execute(found.order_by(events.c.seq).limit(1)).first()
    last = connection.execute(found.order_by(events.c.seq.desc()).limit(1)).first()
    if first is None or last is None:
        return None
    return Extent(first.seq, last.seq, last.kind == Checkpoint.kind)


def _until(connection: sa.Connection, end: int, before: int) -> int:
    """The position up to which events are from before a time, by halving: times grow with positions."""
    low, high = 0, end
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute(
            sa.select(events.c.at).where(events.c.seq <= middle).order_by(events.c.seq.desc()).limit(1)
        ).first()
        if row is None or row.at < before:
            low = middle
        else:
            high = middle - 1
    return low


class Base(NamedTuple):
    """A tenant's state at the last event that goes, the controls that it was folded under, and the versions that were
    saved under others.
    """

    fold: Fold
    controls: Controls
    superseded: list[int]


def put(base: Base, tenant: str, transaction: Transaction) -> bool:
    """Write the tenant's state in place of the event at its position.

    Returns ``False`` where the controls have changed meanwhile. Versions before it go, and those under other controls:
    the log does not reach back to them any more.
    """
    connection, fold, controls = transaction.connection, base.fold, base.controls
    if fold.label(tenant, Controls.read(connection)) != fold.label(tenant, controls):
        return False
    if tenant not in fold.states:
        return True  # nothing was learned: there is nothing to keep
    event = checkpoint(fold, tenant, learned=fold.learned.get(tenant, 0))
    row = {"kind": event.kind, "payload": encode(event), "subject": None, "source": None}
    connection.execute(events.update().where(events.c.seq == fold.position).values(**row))
    place = snapshots.c.position
    connection.execute(snapshots.delete().where(sa.or_(place < fold.position, place.in_(base.superseded))))
    return True


def drop_events(tenant: str, upto: int, after: int, transaction: Transaction) -> Piece:
    """Remove a tenant's ageing events."""
    end = min(after + SPAN, upto)
    mine = sa.and_(events.c.tenant == tenant, events.c.kind.in_(_AGEING), events.c.seq > after, events.c.seq <= end)
    return Piece(transaction.connection.execute(events.delete().where(mine)).rowcount, end, end >= upto)


def strip(tenant: str, upto: int, after: int, transaction: Transaction) -> Piece:
    """Take out of a tenant's events what was said, and what was made from prompts; what teaches stays."""
    end = min(after + SPAN, upto)
    kinds = (Decision.kind, Feedback.kind)
    mine = sa.and_(events.c.tenant == tenant, events.c.kind.in_(kinds), events.c.seq > after, events.c.seq <= end)
    rows = 0
    for seq, kind, payload in transaction.connection.execute(
        sa.select(events.c.seq, events.c.kind, events.c.payload).where(mine)
    ).all():
        left = encode(stripped(decode(kind, payload)))
        if left != payload:
            transaction.connection.execute(events.update().where(events.c.seq == seq).values(payload=left))
            rows += 1
    return Piece(rows, end, end >= upto)


def stripped(event: Event) -> Event:
    """An event without what was said, and what was made from the prompt, as far as nothing is folded from that."""
    if isinstance(event, Decision):
        return redacted(event)
    if isinstance(event, Feedback):
        return msgspec.structs.replace(event, comment=None, correction=None)
    return event


def drop_texts(tenant: str, before: int, after: int, transaction: Transaction) -> Piece:
    """Remove a tenant's rows of other tables, from before a time."""
    rows = 0
    for table in metadata.sorted_tables:
        if table not in APART and "tenant" in table.c and "at" in table.c:
            key = sa.tuple_(*table.primary_key.columns)
            old = sa.select(*table.primary_key.columns).where(table.c.tenant == tenant, table.c.at < before)
            rows += transaction.connection.execute(table.delete().where(key.in_(old.limit(ROWS)))).rowcount
    return Piece(rows, after, rows < ROWS)
