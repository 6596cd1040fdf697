"""Saved versions that hold what has been erased: made anew without it, or removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from gateway.archive import Archive, contents, pack, unpack
from gateway.controls import Controls
from gateway.events import EVERYONE
from gateway.fold import Fold
from gateway.history import archives, refold
from gateway.schema import snapshots
from gateway.tenants import PolicyMaker
from gateway.transaction import Transaction
from gateway.versions.version import Meaning
from router_models.policy import InvalidState

_logger = structlog.get_logger("polyculture.erasure")


class Renewed(NamedTuple):
    """A saved version as it is without what was erased."""

    archive: Archive
    meaning: Meaning


class Remains(NamedTuple):
    """What becomes of saved versions: those made anew, by position, and those that go."""

    renewed: Mapping[int, Renewed]
    gone: Collection[int]


def without(connection: sa.Connection, tenant: str, *, make_policy: PolicyMaker) -> dict[int, Renewed]:
    """Every saved version as it is without this tenant, by position; unreadable ones are left out."""
    found: dict[int, Renewed] = {}
    for archive in archives(connection):
        try:
            fold = unpack(archive, make_policy=make_policy)
        except InvalidState as error:
            _logger.warning("snapshot_dropped", error=str(error))
            continue
        fold.forget([tenant])
        found[archive.position] = _renewed(fold)
    return found


def superseded(
    connection: sa.Connection, *, make_policy: PolicyMaker, controls: Controls, tenant: str = EVERYONE
) -> list[int]:
    """The saved versions that were folded under other controls, as far as a tenant goes, or cannot be read."""
    found = []
    for archive in archives(connection):
        try:
            stale = unpack(archive, make_policy=make_policy).stale(controls)
        except InvalidState:
            stale = {EVERYONE}
        if stale if tenant == EVERYONE else stale & {EVERYONE, tenant}:
            found.append(archive.position)
    return found


def remains(
    connection: sa.Connection, *, make_policy: PolicyMaker, controls: Controls, pause: Callable[[], None]
) -> Remains:
    """What becomes of the versions that were folded under other controls: pinned ones are folded from what is left."""
    stale = superseded(connection, make_policy=make_policy, controls=controls)
    pinned = set(connection.execute(sa.select(snapshots.c.position).where(snapshots.c.pinned)).scalars())
    renewed: dict[int, Renewed] = {}
    for position in pinned.intersection(stale):
        fold = refold(connection, make_policy=make_policy, upto=position, pause=pause)
        fold.position = position  # the event there may have been erased
        renewed[position] = _renewed(fold)
    return Remains(renewed, set(stale) - pinned)


def keep(versions: Mapping[int, Renewed], transaction: Transaction) -> None:
    """Keep these versions, as they are now, and no others."""
    transaction.connection.execute(snapshots.delete().where(snapshots.c.position.not_in(list(versions))))
    _renew(transaction, versions)


def settle(what: Remains, transaction: Transaction) -> None:
    """Remove what goes, and write what was made anew."""
    transaction.connection.execute(snapshots.delete().where(snapshots.c.position.in_(what.gone)))
    _renew(transaction, what.renewed)


def _renew(transaction: Transaction, versions: Mapping[int, Renewed]) -> None:
    for position, (archive, meaning) in versions.items():
        row = {**meaning.recomputed, "checksum": archive.checksum, "archive": archive.data}
        transaction.connection.execute(snapshots.update().where(snapshots.c.position == position).values(**row))


def _renewed(fold: Fold) -> Renewed:
    return Renewed(pack(contents(fold)), Meaning.of(fold, parent=0, reason=""))
