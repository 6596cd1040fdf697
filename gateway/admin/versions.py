"""Versions of what was learned: looked at, compared, kept, returned to."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec

from gateway.admin.orders import Note, Ordering, TenantName, told
from gateway.keys import Principal
from gateway.operations import get, post
from gateway.versions.comparison import Comparison
from gateway.versions.version import Version
from gateway.versions.versions import LIVE, RolledBack

VersionName = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class VersionPage(msgspec.Struct, forbid_unknown_fields=True):
    """Which versions: those before the log position ``before``, newest first."""

    before: Position | None = None
    limit: Count = 20


class VersionList(msgspec.Struct):
    """A page of saved versions."""

    data: list[Version]
    has_more: bool


class VersionAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which version."""

    id: VersionName


class DiffAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which two versions, for one tenant or all, and how many of the largest differences to tell."""

    from_: VersionName = msgspec.field(name="from")
    to: VersionName = LIVE
    tenant: TenantName | None = None
    limit: Count = 20


class RollbackAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which version to return to; without ``tenant`` everyone does."""

    version: VersionName
    tenant: TenantName | None = None
    note: Note = ""


class RollbackDone(msgspec.Struct):
    """What came of it; requests went by it ``took_ms`` milliseconds after the order came."""

    rollback: RolledBack
    took_ms: float


class PinAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which version to keep for good, or no longer; ``live`` saves what is known by now."""

    version: VersionName = LIVE
    pinned: bool = True


class Versioning(Ordering):
    """``/admin/v1/router/versions``, and what can be done with them."""

    @get("/admin/v1/router/versions", "List saved versions", asked=VersionPage, answer=VersionList)
    async def list(self, principal: Principal, asked: VersionPage) -> VersionList:
        """Newest first."""
        found = [each for each in await self._versions.list() if asked.before is None or each.position < asked.before]
        return VersionList(found[: asked.limit], len(found) > asked.limit)

    @get("/admin/v1/router/versions/{id}", "Show a saved version", asked=VersionAsked, answer=Version, errors="404")
    async def show(self, principal: Principal, asked: VersionAsked) -> Version:
        """What it is, without its arrays."""
        with told():
            return await self._versions.get(asked.id)

    @get("/admin/v1/router/diff", "Compare two versions", asked=DiffAsked, answer=Comparison, errors="404")
    async def diff(self, principal: Principal, asked: DiffAsked) -> Comparison:
        """Where they differ most; each may be any version, saved or not."""
        if asked.tenant is not None:
            self._whom(asked.tenant)
        with told():
            return await self._versions.diff(asked.from_, asked.to, tenant=asked.tenant, limit=asked.limit)

    @post("/admin/v1/router/pin", "Keep a version", asked=PinAsked, answer=Version, errors="404 503")
    async def pin(self, principal: Principal, asked: PinAsked) -> Version:
        """For good, or no longer."""
        with told():
            version = (await self._versions.save()).id if asked.version == LIVE else asked.version
            note = self._noted(principal, "version.pin", version=version, pinned=asked.pinned)
            return await self._versions.pin(version, pinned=asked.pinned, also=note)

    @post(
        "/admin/v1/router/rollback",
        "Return to a version",
        asked=RollbackAsked,
        answer=RollbackDone,
        errors="404 409 503",
    )
    async def rollback(self, principal: Principal, asked: RollbackAsked) -> RollbackDone:
        """What was learned since counts no more, from the next request on."""
        begun, tenant = time.perf_counter(), self._whom(asked.tenant)
        note = self._noted(principal, "router.rollback", tenant=tenant, version=asked.version, note=asked.note)
        with told():
            done = await self._versions.rollback(asked.version, tenant=tenant, note=asked.note, also=note)
        return RollbackDone(done, (time.perf_counter() - begun) * 1e3)
