"""Versions that serve until another is promoted, where nothing goes live by itself."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from gateway.events import EVERYONE, ArmRemoved, Event, Promoted
from gateway.fold import Fold
from gateway.history import restore
from gateway.publication import Published
from gateway.schema import RARE, events
from gateway.transaction import Record, read
from gateway.versions.version import place
from router_models.policy import State


class Pinned(NamedTuple):
    """A version as it serves while the arms and the policy are those at ``known``."""

    version: str
    known: int
    published: Published


class Pins:
    """What each tenant's last ``Promoted`` says; one for everyone holds where the tenant has none of its own since."""

    def __init__(self, *, engine: sa.Engine) -> None:
        self._engine = engine
        self._versions: dict[str, str] = {}
        self._pinned: dict[str, Pinned] = {}
        with engine.connect() as connection:
            for record in read(connection, RARE, events.c.kind == Promoted.kind):
                assert isinstance(record.event, Promoted)
                self.promote(record.tenant, record.event.version)

    def promote(self, tenant: str, version: str) -> None:
        """Pin a tenant, or everyone, to a version; to none where it is empty."""
        if tenant == EVERYONE:
            self._versions.clear()
        self._versions[tenant] = version

    def version(self, tenant: str) -> str:
        """The version that a tenant is pinned to; empty for none."""
        return self._versions.get(tenant) or self._versions.get(EVERYONE, "")

    @property
    def any(self) -> bool:
        """Whether anybody is pinned."""
        return any(self._versions.values())

    def drop(self, tenant: str) -> None:
        """Forget a tenant."""
        self._versions.pop(tenant, None)
        self._pinned.pop(tenant, None)

    def forget(self) -> None:
        """The past has been folded anew: so are the pinned versions."""
        self._pinned.clear()

    def of(self, fold: Fold, tenant: str) -> Published | None:
        """The version that a tenant is pinned to, among today's arms; ``None`` without one in this feature space."""
        version, known = self.version(tenant), fold.learned.get(EVERYONE, 0)
        if not version or place(version)[0] != fold.lineage:
            return None
        found = self._pinned.get(tenant)
        if found is None or (found.version, found.known) != (version, known):
            snapshot = self.state(fold, tenant, version).snapshot()
            places = {name: at for at, name in enumerate(snapshot.arms)}
            found = Pinned(version, known, Published(version, fold.lineage, snapshot, places, fold.position))
            self._pinned[tenant] = found
        return found.published

    def state(self, fold: Fold, tenant: str, version: str) -> State:
        """What a tenant's router knew at a version, under today's controls, hyperparameters and arms."""
        with self._engine.connect() as connection:
            return beliefs(connection, fold, tenant, version)


def beliefs(connection: sa.Connection, fold: Fold, tenant: str, version: str) -> State:
    """What a tenant's router knew at a version, under the controls of ``fold``, by its hyperparameters, of its arms."""
    past = restore(
        connection, make_policy=fold.make_policy, controls=fold.controls, upto=place(version)[1], tenants=[tenant]
    )
    changes: list[Event] = [ArmRemoved(name=name) for name in past.arms if name not in fold.arms]
    changes += [event for name, event in dict(fold.arms).items() if past.arms.get(name) != event]
    for change in changes:
        past.apply(Record(past.position, 0, change.kind, EVERYONE, None, None, change))
    state = past.state(tenant)
    if fold.policy is None or past.live.policy != fold.live.policy:
        return state
    return fold.policy.load(state.arrays())
