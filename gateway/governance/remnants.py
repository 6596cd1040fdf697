"""Saved states that hold what has been erased: made anew without it, or removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
import structlog

from gateway.archive import Archive, contents, pack, unpack
from gateway.controls import Controls
from gateway.events import EVERYONE
from gateway.history import archives
from gateway.schema import snapshots
from gateway.tenants import PolicyMaker
from gateway.transaction import Transaction
from router_models.policy import InvalidState

_logger = structlog.get_logger("polyculture.erasure")


def without(connection: sa.Connection, tenant: str, *, make_policy: PolicyMaker) -> dict[int, Archive]:
    """Every saved state as it is without this tenant, by position; unreadable ones are left out."""
    found: dict[int, Archive] = {}
    for archive in archives(connection):
        try:
            fold = unpack(archive, make_policy=make_policy)
        except InvalidState as error:
            _logger.warning("snapshot_dropped", error=str(error))
            continue
        fold.forget([tenant])
        found[archive.position] = pack(contents(fold))
    return found


def put(transaction: Transaction, states: Mapping[int, Archive]) -> None:
    """Keep these saved states, and no others."""
    connection, place = transaction.connection, snapshots.c.position
    connection.execute(snapshots.delete().where(place.not_in(list(states))))
    for position, archive in states.items():
        changed = {"checksum": archive.checksum, "archive": archive.data}
        connection.execute(snapshots.update().where(place == position).values(**changed))


def superseded(
    connection: sa.Connection, *, make_policy: PolicyMaker, controls: Controls, tenant: str = EVERYONE
) -> list[int]:
    """The saved states that were folded under other controls, as far as a tenant goes, or cannot be read."""
    found = []
    for archive in archives(connection):
        try:
            stale = unpack(archive, make_policy=make_policy).stale(controls)
        except InvalidState:
            stale = {EVERYONE}
        if stale if tenant == EVERYONE else stale & {EVERYONE, tenant}:
            found.append(archive.position)
    return found


def drop(positions: Collection[int], transaction: Transaction) -> None:
    """Remove these saved states."""
    transaction.connection.execute(snapshots.delete().where(snapshots.c.position.in_(positions)))
