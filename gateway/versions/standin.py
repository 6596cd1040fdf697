"""Which saved state serves at once after a rollback, until the past has been folded anew."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from gateway.archive import Archive, unpack
from gateway.controls import Controls
from gateway.events import EVERYONE, POOL, FeedbackExcluded
from gateway.fold import Fold
from gateway.history import archives
from gateway.schema import snapshots
from gateway.tenants import PolicyMaker
from gateway.transaction import Record
from router_models.policy import InvalidState


def standin(
    connection: sa.Connection, *, make_policy: PolicyMaker, position: int, end: int, tenant: str
) -> Fold | None:
    """The saved state that a rollback of ``tenant`` from ``end`` to ``position`` leads to, or the newest before it
    that holds nothing which is excluded by then; ``None`` if there is none.
    """
    controls = Controls.read(connection, upto=end)
    tenants = None if tenant == EVERYONE else [tenant, POOL]
    position = _unchanged(connection, make_policy=make_policy, position=position, tenants=tenants)
    event = FeedbackExcluded(position + 1, end, "rolled_back")
    controls = controls.joined(Record(end + 1, 0, event.kind, tenant, None, None, event))
    for archive in archives(connection, upto=position):
        fold = _unpacked(archive, make_policy=make_policy, tenants=tenants)
        if fold is None:
            continue
        stale = fold.stale(controls)
        if not (stale if tenant == EVERYONE else stale & {EVERYONE, tenant}):
            return fold
    return None


def _unchanged(
    connection: sa.Connection, *, make_policy: PolicyMaker, position: int, tenants: Collection[str] | None
) -> int:
    """Where the next saved state is, if these tenants learned nothing between ``position`` and it; else there."""
    place = snapshots.c.position
    row = connection.execute(sa.select(snapshots).where(place >= position).order_by(place).limit(1)).first()
    if row is None or row.position == position:
        return position
    fold = _unpacked(Archive(row.position, row.checksum, row.archive), make_policy=make_policy, tenants=tenants)
    if fold is None:
        return position
    scope = fold.learned.keys() if tenants is None else {EVERYONE, *tenants}
    return fold.position if all(fold.learned.get(each, 0) <= position for each in scope) else position


def _unpacked(archive: Archive, *, make_policy: PolicyMaker, tenants: Collection[str] | None) -> Fold | None:
    try:
        return unpack(archive, make_policy=make_policy, tenants=tenants)
    except InvalidState:
        return None
