"""Reading the log back: the fold at the log's end, from the newest sound snapshot or from the first event."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa
import structlog

from gateway.archive import Archive, unpack
from gateway.events import decode
from gateway.fold import Fold, PolicyMaker
from gateway.schema import events, snapshots
from gateway.transaction import Record
from router_models.policy import InvalidState

_logger = structlog.get_logger("polyculture.history")

_READ = (events.c.seq, events.c.kind, events.c.tenant, events.c.payload)


def records(connection: sa.Connection, *, after: int = 0, upto: int | None = None) -> Iterator[Record]:
    """The log's records in order, as much of each as the fold reads; damaged ones are passed over.

    They are streamed: memory stays flat however long the log is. Raises :class:`gateway.events.UnknownEvent`.
    """
    query = sa.select(*_READ).where(events.c.seq > after).order_by(events.c.seq)
    if upto is not None:
        query = query.where(events.c.seq <= upto)
    for rows in connection.execute(query.execution_options(yield_per=1000)).partitions():
        for seq, kind, tenant, payload in rows:
            try:
                event = decode(kind, payload, head=True)
            except msgspec.DecodeError as error:
                _logger.error("event_damaged", seq=seq, kind=kind, error=str(error))
            else:
                yield Record(seq, 0, kind, tenant, None, None, event)


def refold(connection: sa.Connection, *, make_policy: PolicyMaker, upto: int | None = None) -> Fold:
    """The fold from the very first event."""
    fold = Fold(make_policy=make_policy)
    for each in records(connection, upto=upto):
        fold.apply(each)
    return fold


def archives(connection: sa.Connection, *, upto: int | None = None) -> Iterator[Archive]:
    """The saved snapshots, newest first."""
    query = sa.select(snapshots).order_by(snapshots.c.position.desc())
    if upto is not None:
        query = query.where(snapshots.c.position <= upto)
    positions = [row.position for row in connection.execute(query.with_only_columns(snapshots.c.position))]
    for position in positions:
        row = connection.execute(sa.select(snapshots).where(snapshots.c.position == position)).one()
        yield Archive(row.position, row.checksum, row.archive)


def restore(connection: sa.Connection, *, make_policy: PolicyMaker, upto: int | None = None) -> Fold:
    """The fold at the log's end, or at ``upto``: the newest sound snapshot, then the events after it.

    A damaged snapshot is passed over with a warning; with none left, everything is folded again.
    """
    fold = Fold(make_policy=make_policy)
    for archive in archives(connection, upto=upto):
        try:
            fold = unpack(archive, make_policy=make_policy)
            break
        except InvalidState as error:
            _logger.warning("snapshot_refused", error=str(error))
    for each in records(connection, after=fold.position, upto=upto):
        fold.apply(each)
    return fold
