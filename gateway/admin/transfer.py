"""What was learned, carried out of one installation and into another."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.admin.orders import Ordering, TenantName, told
from gateway.admin.versions import VersionName
from gateway.keys import DEFAULT_TENANT, Principal
from gateway.operations import get, post
from gateway.versions.versions import LIVE

ARCHIVE: Final = "application/octet-stream"
"""The kind of an exported file, a zip of numpy arrays and a manifest (``.npz``), as clients know it."""


class ExportAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose state, as of which version."""

    version: VersionName = LIVE
    tenant: TenantName = DEFAULT_TENANT


class ImportAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose state the exported file becomes; ``adapt`` lets its hyperparameters differ from those here, ``force``
    brings it past the gate.
    """

    data: bytes
    tenant: TenantName = DEFAULT_TENANT
    adapt: bool = False
    force: bool = False


class ImportDone(msgspec.Struct):
    """The version that it made."""

    version: str


class Transfer(Ordering):
    """``/admin/v1/router/export`` and ``/import``."""

    @get(
        "/admin/v1/router/export",
        "Take a tenant's learned state along",
        asked=ExportAsked,
        answer=bytes,
        gives=ARCHIVE,
        errors="404",
    )
    async def export(self, principal: Principal, asked: ExportAsked) -> bytes:
        """Arrays and a JSON manifest in one file, never a pickle."""
        tenant = self._whom(asked.tenant)
        with told():
            return await self._versions.export(asked.version, tenant=tenant)

    @post(
        "/admin/v1/router/import",
        "Bring a tenant's learned state in",
        asked=ImportAsked,
        answer=ImportDone,
        takes=ARCHIVE,
        errors="404 422 503",
    )
    async def bring(self, principal: Principal, asked: ImportAsked) -> ImportDone:
        """In place of what the tenant has learned so far; a rollback takes it back."""
        tenant = self._whom(asked.tenant)
        note = self._noted(principal, "router.import", tenant=tenant, bytes=len(asked.data), forced=asked.force)
        with told():
            if not asked.force:
                await self._service.guard.promotion.check(asked.data, tenant=tenant, adapt=asked.adapt)
            version = await self._steering.bring(
                asked.data, tenant=tenant, adapt=asked.adapt, forced=asked.force, also=note
            )
        return ImportDone(version)
