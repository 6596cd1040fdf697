"""Reading the log back: the fold of the log, from the newest sound snapshot or from the first event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
import structlog

from gateway.archive import Archive, unpack
from gateway.controls import Controls
from gateway.events import EVERYONE, decode
from gateway.fold import Fold
from gateway.schema import events, snapshots
from gateway.tenants import PolicyMaker
from gateway.transaction import Record
from router_models.policy import InvalidState

_logger = structlog.get_logger("polyculture.history")


def records(
    connection: sa.Connection,
    *,
    after: int = 0,
    upto: int | None = None,
    tenants: Collection[str] | None = None,
    whole: bool = False,
) -> Iterator[Record]:
    """The log's records in order, of answers and decisions as much as the fold reads, unless they are to be ``whole``;
    damaged ones are passed over.

    ``tenants`` limits them to those and to what concerns everyone. They are streamed: memory stays flat however long
    the log is. Raises :class:`gateway.events.UnknownEvent`.
    """
    query = sa.select(events).where(events.c.seq > after).order_by(events.c.seq)
    if upto is not None:
        query = query.where(events.c.seq <= upto)
    if tenants is not None:
        query = query.where(events.c.tenant.in_([EVERYONE, *tenants]))
    for rows in connection.execute(query.execution_options(yield_per=1000)).partitions():
        for seq, at, kind, tenant, subject, source, payload in rows:
            try:
                event = decode(kind, payload, head=not whole)
            except msgspec.DecodeError as error:
                _logger.error("event_damaged", seq=seq, kind=kind, error=str(error))
            else:
                yield Record(seq, at, kind, tenant, subject, source, event)


def refold(
    connection: sa.Connection,
    *,
    make_policy: PolicyMaker,
    upto: int | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Fold:
    """The fold from the very first event, to the last or to ``upto``: what a version is, by definition."""
    fold = Fold(make_policy=make_policy, controls=Controls.read(connection, upto=upto))
    for each in records(connection, upto=upto):
        pause()
        fold.apply(each)
    return fold


def archives(connection: sa.Connection, *, upto: int | None = None) -> Iterator[Archive]:
    """The saved snapshots, newest first; one that is dropped in the meantime is passed over."""
    query = sa.select(snapshots.c.position).order_by(snapshots.c.position.desc())
    if upto is not None:
        query = query.where(snapshots.c.position <= upto)
    for position in list(connection.execute(query).scalars()):
        row = connection.execute(sa.select(snapshots).where(snapshots.c.position == position)).one_or_none()
        if row is not None:
            yield Archive(row.position, row.checksum, row.archive)


class Revision(NamedTuple):
    """What new controls make of a fold: ``fresh`` has the states of ``tenants``; without tenants it is the whole fold;
    without ``fresh``, nobody's state changes.
    """

    controls: Controls
    fresh: Fold | None = None
    tenants: Collection[str] = ()


def revision(
    connection: sa.Connection, fold: Fold, *, make_policy: PolicyMaker, pause: Callable[[], None] = lambda: None
) -> Revision:
    """What the log's controls make of a fold at its position; ``fold`` is read, and not changed."""
    controls = Controls.read(connection, upto=fold.position)
    stale = fold.stale(controls)
    if not stale:
        return Revision(controls)
    tenants = () if EVERYONE in stale else fold.circles(stale)
    fresh = restore(
        connection,
        make_policy=make_policy,
        controls=controls,
        upto=fold.position,
        tenants=tenants or None,
        pause=pause,
    )
    return Revision(controls, fresh, tenants)


def revised(fold: Fold, by: Revision) -> Fold:
    """The fold under its new controls."""
    if by.fresh is not None and not by.tenants:
        return by.fresh
    if by.fresh is not None:
        fold.adopt(by.fresh, by.tenants)
    fold.govern(by.controls)
    return fold


def restore(
    connection: sa.Connection,
    *,
    make_policy: PolicyMaker,
    controls: Controls | None = None,
    upto: int | None = None,
    tenants: Collection[str] | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Fold:
    """The fold at the log's end (or ``upto``), as :func:`refold` gives it, by way of the newest sound snapshot.

    A damaged snapshot is passed over with a warning, and so is one whose controls no longer hold; with none left,
    everything is folded again. ``tenants`` limits the fold to those. ``pause`` is called before each event.
    """
    controls = controls or Controls.read(connection, upto=upto)
    fold = Fold(make_policy=make_policy, controls=controls)
    for archive in archives(connection, upto=upto):
        try:
            found = unpack(archive, make_policy=make_policy, tenants=tenants)
        except InvalidState as error:
            _logger.warning("snapshot_refused", error=str(error))
            continue
        stale = found.stale(controls)
        if EVERYONE in stale or (tenants is not None and not stale.isdisjoint(tenants)):
            continue
        if tenants is None and stale:
            circle = found.circles(stale)
            found.adopt(
                restore(
                    connection,
                    make_policy=make_policy,
                    controls=controls,
                    upto=archive.position,
                    tenants=circle,
                    pause=pause,
                ),
                circle,
            )
        fold = found
        fold.govern(controls)
        break
    for each in records(connection, after=fold.position, upto=upto, tenants=tenants):
        pause()
        fold.apply(each)
    return fold
