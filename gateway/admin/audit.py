"""The audit log, read: what was done, by whom, and the signed end to hold outside."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec

from gateway.errors import NotFound
from gateway.governance.audit import AuditEntry, AuditHead, entries, newest
from gateway.governance.identity import names
from gateway.keys import Principal
from gateway.operations import Group, Nothing, get


class AuditPage(msgspec.Struct, forbid_unknown_fields=True):
    """Which entries: those past ``after``, oldest first."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class AuditEntries(msgspec.Struct):
    """A page; ``names`` tells whom pseudonyms stand for, where that can still be told."""

    data: list[AuditEntry]
    has_more: bool
    names: dict[str, str]


class Auditing(Group):
    """``/admin/v1/audit`` and its head."""

    @get("/admin/v1/audit", "List audit entries", asked=AuditPage, answer=AuditEntries)
    async def list(self, principal: Principal, asked: AuditPage) -> AuditEntries:
        """Read them off the event loop."""
        return await asyncio.to_thread(self._page, asked)

    @get("/admin/v1/audit/head", "The audit log's signed end", answer=AuditHead, errors="404")
    async def head(self, principal: Principal, asked: Nothing) -> AuditHead:
        """Whoever holds it can tell later whether history was rewritten."""
        with self._service.engine.connect() as connection:
            found = newest(connection)
        if found is None:
            raise NotFound("Nothing was recorded yet.")
        return found

    def _page(self, asked: AuditPage) -> AuditEntries:
        with self._service.engine.connect() as connection:
            found = entries(connection, after=asked.after, limit=asked.limit + 1)
            return AuditEntries(found[: asked.limit], len(found) > asked.limit, names(connection))
