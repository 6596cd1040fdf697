"""What requests read: an immutable snapshot a tenant, published anew whenever what it is made from has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from gateway.events import EVERYONE
from gateway.fold import Fold
from router_models.policy import Snapshot

_logger = structlog.get_logger("polyculture.learner")


class Published(NamedTuple):
    """What requests of one tenant read: version, lineage, snapshot, and where each arm stands in it.

    ``position`` is the fold's at that moment: ahead of the version's by events that were merely counted.
    """

    version: str
    lineage: int
    snapshot: Snapshot
    places: dict[str, int]
    position: int


@dataclass(eq=False, slots=True, kw_only=True)
class Hold:
    """Tenants (all, if ``EVERYONE`` is among them) for whom nothing is published until the fold has been revised by
    the control event at ``until``.
    """

    tenants: Collection[str]
    until: int | None = None


class Publication:
    """The snapshots by tenant. ``on_failure`` is told of one that could not be made: the last good one stays."""

    def __init__(self, *, on_failure: Callable[[], None] = lambda: None) -> None:
        self._on_failure = on_failure
        self._published: dict[str, Published] = {}
        self._holds: list[Hold] = []

    @property
    def tenants(self) -> list[str]:
        """Those for whom something is published."""
        return list(self._published)

    def of(self, tenant: str) -> Published:
        """The router that a tenant's requests go by now. Raises ``LookupError`` before the first lineage."""
        found = self._published.get(tenant) or self._published.get(EVERYONE)
        if found is None:
            raise LookupError("no lineage has started")
        return found

    def refresh(self, fold: Fold, tenants: Iterable[str]) -> None:
        """Publish these tenants' states anew, but for those on hold."""
        for tenant in tenants:
            if self._holds and self._held(tenant):
                continue
            try:
                self._published[tenant] = published(fold, tenant)
            except Exception:
                self._on_failure()
                _logger.exception("publish_failed", tenant=tenant)

    def hold(self, hold: Hold, instead: dict[str, Published] | None = None) -> None:
        """Publish nothing more of these tenants but what is given ``instead``."""
        self._holds.append(hold)
        self._published.update(instead or {})

    def release(self, fold: Fold, *holds: Hold) -> None:
        """End these holds, and those that the fold's revision has fulfilled."""
        ended = [each for each in self._holds if each in holds or (each.until or fold.position + 1) <= fold.position]
        self._holds = [each for each in self._holds if each not in ended]
        free = {tenant for hold in ended for tenant in hold.tenants}
        self.refresh(fold, self.tenants if EVERYONE in free else free)

    def drop(self, tenant: str) -> None:
        """Publish nothing of this tenant's own any more."""
        self._published.pop(tenant, None)

    def _held(self, tenant: str) -> bool:
        return any(tenant in hold.tenants or EVERYONE in hold.tenants for hold in self._holds)


def published(fold: Fold, tenant: str) -> Published:
    """A tenant's router as of this fold. Raises ``LookupError`` before the first lineage, and what snapshots raise."""
    snapshot = fold.state(tenant).snapshot()
    places = {name: place for place, name in enumerate(snapshot.arms)}
    return Published(fold.version(tenant), fold.lineage, snapshot, places, fold.position)
