"""What requests read: an immutable snapshot a tenant, published anew whenever what it is made from has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, Protocol

import structlog

from gateway.events import EVERYONE
from gateway.fold import Fold
from gateway.transaction import Record
from router_models.policy import Snapshot

_logger = structlog.get_logger("polyculture.learner")


class Published(NamedTuple):
    """What requests of one tenant read: version, lineage, snapshot, and where each arm stands in it.

    ``position`` is the fold's at that moment: ahead of the version's by events that were merely counted. ``group`` is
    whom it serves, ``share`` the control's of these requests while a ``trial`` goes on; what else serves this tenant's
    requests stands ``beside`` it, and the ``shadow`` is asked and never heeded.
    """

    version: str
    lineage: int
    snapshot: Snapshot
    places: dict[str, int]
    position: int
    group: str = ""
    share: float = 0.0
    trial: int = 0
    beside: Beside | None = None
    shadow: Snapshot | None = None

    def under(self, today: Published) -> Published:
        """These beliefs under another's prices and position, for all requests."""
        return self._replace(
            snapshot=self.snapshot.priced(today.snapshot),
            position=today.position,
            group="",
            share=0.0,
            trial=0,
            beside=None,
            shadow=today.shadow,
        )

    def drawn(self, number: float) -> Published:
        """Whom ``number`` in [0, 1) gives a request to: the canary first, then of the rest the control."""
        beside = self.beside
        if beside is None:
            return self
        if beside.canary is not None and number < beside.canary_share:
            return beside.canary
        rest = (number - beside.canary_share) / (1.0 - beside.canary_share)
        if beside.control is None or rest >= beside.share:
            return self
        control = beside.control
        return control._replace(
            snapshot=control.snapshot.priced(self.snapshot), position=self.position, shadow=self.shadow
        )


class Beside(NamedTuple):
    """What serves a share of a tenant's requests beside the live version."""

    control: Published | None = None
    share: float = 0.0
    canary: Published | None = None
    canary_share: float = 0.0


@dataclass(eq=False, slots=True, kw_only=True)
class Hold:
    """Tenants (all, if ``EVERYONE`` is among them) for whom nothing is published until the fold has been revised by
    the control event at ``until``.
    """

    tenants: Collection[str]
    until: int | None = None


class Doorkeeper(Protocol):
    """Who says what goes live."""

    def witness(self, record: Record, live: Mapping[str, Published]) -> None:
        """Take note of an event that was just folded; ``live`` is what serves each tenant."""

    def hear(self, fold: Fold) -> None:
        """Take what the fold has heard, and what it found to have changed."""

    def admit(self, fold: Fold, tenant: str, live: Published | None) -> Published:
        """What is to serve a tenant whose state is another one now."""

    def drop(self, tenant: str) -> None:
        """Forget a tenant."""

    def revisit(self, fold: Fold, tenants: Collection[str]) -> None:
        """The past is another one than before for these tenants, for all if none is named, by this fold."""


class OpenDoor:
    """Lets everything through."""

    def witness(self, record: Record, live: Mapping[str, Published]) -> None:
        """Nothing to note."""

    def hear(self, fold: Fold) -> None:
        """Nothing to be heard."""
        fold.heard.clear()
        fold.alarms.clear()

    def admit(self, fold: Fold, tenant: str, live: Published | None) -> Published:
        """What has been learned."""
        return published(fold, tenant)

    def drop(self, tenant: str) -> None:
        """Nothing to forget."""

    def revisit(self, fold: Fold, tenants: Collection[str]) -> None:
        """Nothing to look at."""
        self.hear(fold)


class Publication:
    """The snapshots by tenant. ``on_failure`` is told of one that could not be made: the last good one stays.

    The learner's thread refreshes and releases; another one may put tenants on hold meanwhile.
    """

    def __init__(self, *, door: Doorkeeper | None = None, on_failure: Callable[[], None] = lambda: None) -> None:
        self.door = door or OpenDoor()
        self._on_failure = on_failure
        self._published: dict[str, Published] = {}
        self._holds: list[Hold] = []
        self._lock = Lock()

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
        """Publish these tenants' states anew, but for those on hold, be it only since their states were asked for."""
        for tenant in tenants:
            if self._holds and self._held(tenant):
                continue
            try:
                found = self.door.admit(fold, tenant, self._published.get(tenant))
            except Exception:
                self._on_failure()
                _logger.exception("publish_failed", tenant=tenant)
                continue
            with self._lock:
                if not self._held(tenant):
                    self._published[tenant] = found

    def witness(self, record: Record) -> None:
        """Show the door an event that was just folded."""
        self.door.witness(record, self._published)

    def hold(self, hold: Hold, instead: dict[str, Published] | None = None) -> None:
        """Publish nothing more of these tenants but what is given ``instead``."""
        with self._lock:
            self._holds.append(hold)
            self._published.update(instead or {})

    def release(self, fold: Fold, *holds: Hold) -> None:
        """End these holds, and those that the fold's revision has fulfilled."""
        with self._lock:
            ended = [
                each for each in self._holds if each in holds or (each.until or fold.position + 1) <= fold.position
            ]
            self._holds = [each for each in self._holds if each not in ended]
        free = {tenant for hold in ended for tenant in hold.tenants}
        self.refresh(fold, self.tenants if EVERYONE in free else free)

    def drop(self, tenant: str) -> None:
        """Publish nothing of this tenant's own any more."""
        self._published.pop(tenant, None)
        self.door.drop(tenant)

    def _held(self, tenant: str) -> bool:
        return any(tenant in hold.tenants or EVERYONE in hold.tenants for hold in self._holds)


def published(fold: Fold, tenant: str) -> Published:
    """A tenant's router as of this fold. Raises ``LookupError`` before the first lineage, and what snapshots raise."""
    snapshot = fold.state(tenant).snapshot()
    places = {name: place for place, name in enumerate(snapshot.arms)}
    return Published(fold.version(tenant), fold.lineage, snapshot, places, fold.position)
