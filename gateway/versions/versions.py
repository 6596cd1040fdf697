"""What was learned when: its versions, looked at, compared, taken along, and returned to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from gateway.controls import control
from gateway.database import look
from gateway.events import EVERYONE, Checkpoint, FeedbackExcluded
from gateway.fold import Fold
from gateway.history import restore
from gateway.learner import Learner
from gateway.log import Log
from gateway.publication import Hold, Published, published
from gateway.schema import RARE, events, snapshots
from gateway.transaction import Transaction
from gateway.versions.comparison import Comparison, compare
from gateway.versions.exported import export
from gateway.versions.standin import standin
from gateway.versions.version import UnknownVersion, Version, name, pin, place, versions

T = TypeVar("T")

#: What the live state is called among versions.
LIVE = "live"

#: Something else to be written in the same transaction, or not at all.
Also = Callable[[Transaction], None]


class OutOfReach(ValueError):
    """There is such a version, and no way back to it."""


class RolledBack(msgspec.Struct, frozen=True):
    """A rollback to ``version``, logged as event ``position``. ``serving`` is the version that requests got at once,
    if one was saved; the exact state, with its share caps and budgets as they are now, follows as version ``now``.
    """

    version: str
    tenant: str
    position: int
    serving: str | None
    now: str


class Versions:
    """The versions of a running gateway. A version is named by its id, or ``live`` for what has been learned by now."""

    def __init__(self, *, engine: sa.Engine, log: Log, learner: Learner) -> None:
        self._engine = engine
        self._log = log
        self._learner = learner

    async def list(self) -> list[Version]:
        """The saved ones, newest first."""
        return await look(self._engine, lambda connection: list(versions(connection)))

    async def get(self, version: str) -> Version:
        """A saved one. Raises :class:`UnknownVersion`."""
        position = self._place(version)
        found = await look(
            self._engine, lambda connection: list(versions(connection, snapshots.c.position == position))
        )
        if not found:
            raise UnknownVersion(f"version {version!r} is not saved; it can be compared, exported and returned to")
        return found[0]

    async def fold(self, version: str) -> Fold:
        """What was known at a version, saved or not: that part of the log, folded. Raises :class:`UnknownVersion`."""
        position, make = self._place(version), self._learner.fold.make_policy
        fold = await look(self._engine, lambda connection: restore(connection, make_policy=make, upto=position))
        if version not in (LIVE, name(fold.lineage, position)):
            raise UnknownVersion(f"there is no version {version!r}: the feature space there is {fold.lineage}")
        return fold

    async def diff(self, one: str, other: str = LIVE, *, tenant: str | None = None, limit: int = 20) -> Comparison:
        """Where two versions differ most. Raises :class:`UnknownVersion`."""
        before, after = await self.fold(one), await self.fold(other)
        names = (name(before.lineage, before.position), name(after.lineage, after.position))
        return await asyncio.to_thread(compare, before, after, names=names, tenant=tenant, limit=limit)

    async def export(self, version: str, *, tenant: str) -> bytes:
        """What a tenant's router knew, as a file. Raises :class:`UnknownVersion`."""
        return await asyncio.to_thread(export, await self.fold(version), tenant)

    async def save(self) -> Version:
        """Save the live state now. Raises :class:`UnknownVersion` where that did not work."""
        await self._learner.settled()
        known = self._learner.fold.position
        position = await self._learner.save()
        if position < known:
            raise UnknownVersion("the live state could not be saved")
        return await self.get(name(self._learner.fold.lineage, position))

    async def pin(self, version: str, *, pinned: bool = True, also: Also | None = None) -> Version:
        """Keep a saved version for good, or no longer. Raises :class:`UnknownVersion`."""
        position = self._place(version)

        def write(transaction: Transaction) -> None:
            pin(position, pinned, transaction)
            if also is not None:
                also(transaction)

        await self._log.transact(write)
        return await self.get(version)

    async def rollback(
        self, version: str, *, tenant: str = EVERYONE, note: str = "", also: Also | None = None
    ) -> RolledBack:
        """Return to what was known at ``version``, for one tenant or for everyone: the next request goes by it.

        What was learned since does not count any more, nor do imports, audits, rollbacks and, for everyone, changes of
        policy since then; a later rollback to a version after this one brings them back. Returns as soon as requests
        are served accordingly. Raises :class:`UnknownVersion` and :class:`OutOfReach`.
        """
        position = self._place(version)
        hold, serving, instead = await self._stand_in(version, position, tenant)

        def write(transaction: Transaction) -> int:
            event = FeedbackExcluded(position + 1, transaction.position, "rolled_back", None, version, note)
            hold.until = control(transaction, event, tenant=tenant)
            if also is not None:
                also(transaction)
            return hold.until

        self._learner.publication.hold(hold, instead)
        try:
            at = await self._log.transact(write)
        except BaseException:
            self._learner.publication.release(self._learner.fold, hold)
            raise
        if not instead:
            await self._learner.settled()
        return RolledBack(version, tenant, at, serving, name(self._learner.fold.lineage, at))

    async def _stand_in(
        self, version: str, position: int, tenant: str
    ) -> tuple[Hold, str | None, dict[str, Published]]:
        """Whom a rollback concerns, which version they get at once, and what that is. Raises :class:`OutOfReach`."""
        fold, publication = self._learner.fold, self._learner.publication
        end = self._learner.committed
        if place(version)[0] != fold.lineage:
            raise OutOfReach(f"version {version!r} is of another feature space than today's, {fold.lineage}")
        if position >= end:
            raise OutOfReach(f"nothing has been learned since version {version!r}")
        concerned = [tenant] if tenant != EVERYONE else [EVERYONE, *fold.states, *publication.tenants]

        def find(connection: sa.Connection) -> tuple[Hold, str | None, dict[str, Published]]:
            _check_reach(connection, position, tenant)
            found = standin(connection, make_policy=fold.make_policy, position=position, end=end, tenant=tenant)
            hold = Hold(tenants=concerned)
            if found is None:
                return hold, None, {}
            return hold, name(found.lineage, found.position), {each: published(found, each) for each in concerned}

        return await look(self._engine, find)

    def _place(self, version: str) -> int:
        """The position of a version that there may be. Raises :class:`UnknownVersion`."""
        end = self._learner.committed
        if version == LIVE:
            return end
        lineage, position = place(version)
        if not 0 < lineage <= position <= end:
            raise UnknownVersion(f"there is no version {version!r}: positions go from the lineage's number to {end}")
        return position


def _check_reach(connection: sa.Connection, position: int, tenant: str) -> None:
    """Raises :class:`OutOfReach` where events that a rollback would have to leave out are no longer kept."""
    mine = [] if tenant == EVERYONE else [events.c.tenant == tenant]
    query = sa.select(sa.func.max(events.c.seq)).where(RARE, events.c.kind == Checkpoint.kind, *mine)
    last = connection.execute(query).scalar() or 0
    if last > position:
        raise OutOfReach(f"events up to {last} are not kept any more: no version before that can be returned to")
