"""Erasing tenants and end users, and the receipts of that."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec.structs import replace

from gateway.errors import NotFound, Unavailable
from gateway.governance.identity import Identity
from gateway.governance.progress import Step, load
from gateway.governance.receipt import Opening, SignedReceipt
from gateway.keys import Principal
from gateway.operations import Group, delete, get

TenantId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
UserId = Annotated[str, msgspec.Meta(pattern=r"^[^/]+/[\s\S]", max_length=300)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class TenantErasure(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to erase, and for how many seconds to wait until that is done."""

    id: TenantId
    wait: Seconds = 600.0


class UserErasure(msgspec.Struct, forbid_unknown_fields=True):
    """The same for an end user: ``id`` is the source of feedback, ``key/user``."""

    id: UserId
    tenant: TenantId
    wait: Seconds = 600.0


class ErasureId(msgspec.Struct, forbid_unknown_fields=True):
    """Which erasure."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class Erasure(msgspec.Struct):
    """How far an erasure is; the receipt once it is finished.

    ``opening`` shows whom the receipt is about. It is told to who asked for the erasure, once, and not kept.
    """

    id: str
    step: Step
    receipt: SignedReceipt | None = None
    opening: Opening | None = None


class Erasing(Group):
    """``DELETE`` of tenants and users, and ``/admin/v1/erasures``."""

    @delete("/admin/v1/tenants/{id}", "Erase a tenant", asked=TenantErasure, answer=Erasure, errors="503")
    async def tenant(self, principal: Principal, asked: TenantErasure) -> Erasure:
        """All that is the tenant's, and all that was learned from it."""
        return await self._erase(principal, Identity(kind="tenant", tenant=asked.id), asked.wait)

    @delete("/admin/v1/users/{id:path}", "Erase an end user", asked=UserErasure, answer=Erasure, errors="404 503")
    async def user(self, principal: Principal, asked: UserErasure) -> Erasure:
        """All that the end user said, the requests that it was about, and all that was learned from it."""
        return await self._erase(principal, Identity(kind="user", tenant=asked.tenant, name=asked.id), asked.wait)

    @get("/admin/v1/erasures/{id}", "How far an erasure is", asked=ErasureId, answer=Erasure, errors="404")
    async def show(self, principal: Principal, asked: ErasureId) -> Erasure:
        """Its receipt, too, once it is finished."""
        with self._service.engine.connect() as connection:
            found = load(connection, asked.id)
        if found is None:
            raise NotFound("There is no such erasure.")
        return Erasure(found.id, found.step, found.receipt)

    async def _erase(self, principal: Principal, whose: Identity, wait: float) -> Erasure:
        begun = await self._service.erasures.begin(whose, by=Identity.of(principal))
        ended, _ = await asyncio.wait([begun.ended], timeout=wait)
        progress = begun.progress
        for task in ended:
            if task.cancelled() or task.exception() is not None:
                raise Unavailable(f"The erasure {progress.id} was interrupted: it goes on when the gateway starts.")
            progress = task.result()
        receipt = None if progress.receipt is None else replace(progress.receipt, opening=begun.opening)
        return Erasure(progress.id, progress.step, receipt, begun.opening)
