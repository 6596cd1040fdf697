"""Trials that a restart or another past interrupted: what came lately otherwise than by learning is tried again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import sqlalchemy as sa

from gateway.events import EVERYONE, Feedback, Promoted, StateImported
from gateway.fold import Fold
from gateway.gate.acts import Cause
from gateway.gate.pins import Pins
from gateway.gate.standing import Arrival
from gateway.publication import Published
from gateway.schema import RARE, events
from gateway.transaction import read
from gateway.versions.version import name, place


class Came(NamedTuple):
    """Something that came at ``position``, in place of the version ``before``."""

    position: int
    cause: Cause
    before: str


def interrupted(
    connection: sa.Connection, fold: Fold, pins: Pins, *, tenants: Collection[str], outcomes: int
) -> Iterator[tuple[str, Arrival]]:
    """By tenant what was promoted or brought in last, where less than so many outcomes have come since."""
    for tenant, came in _last(connection, fold, pinned=pins.any).items():
        if tenant not in tenants:
            continue
        since = (events.c.tenant == tenant, events.c.seq > came.position, events.c.kind == Feedback.kind)
        told = connection.execute(sa.select(sa.func.count()).select_from(events).where(*since)).scalar() or 0
        if told < outcomes and place(came.before)[0] == fold.lineage:
            snapshot = pins.state(fold, tenant, came.before).snapshot()
            places = {arm: at for at, arm in enumerate(snapshot.arms)}
            before = Published(came.before, fold.lineage, snapshot, places, fold.position)
            yield tenant, Arrival(cause=came.cause, before=before, forced=True)


def _last(connection: sa.Connection, fold: Fold, *, pinned: bool) -> dict[str, Came]:
    """What came last to each tenant: of versions where they are ``pinned``, of imports where they go live at once."""
    kind = Promoted.kind if pinned else StateImported.kind
    found: dict[str, Came] = {}
    served: dict[str, str] = {}
    for record in read(connection, RARE, events.c.kind == kind, events.c.seq > fold.lineage):
        event, tenant = record.event, record.tenant
        found.pop(tenant, None)
        if not isinstance(event, Promoted):
            if not fold.controls.undoes(record):
                found[tenant] = Came(record.seq, "imported", name(fold.lineage, record.seq - 1))
            continue
        before = served.get(tenant) or served.get(EVERYONE, "")
        if tenant == EVERYONE:
            found.clear()
            served.clear()
        elif before and not event.returned:
            found[tenant] = Came(record.seq, "promoted", before)
        served[tenant] = event.version
    return found
