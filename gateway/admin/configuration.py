"""The configuration file, read again."""

from __future__ import annotations

import msgspec

from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.operations import Group, post
from gateway.reload.reloader import Reloaded, Reloader


class ReloadAsked(msgspec.Struct, forbid_unknown_fields=True):
    """``dry_run`` tells what would change, and changes nothing."""

    dry_run: bool = False


class Configuring(Group):
    """``/admin/v1/configuration/reload``."""

    @post(
        "/admin/v1/configuration/reload",
        "Read the configuration file again",
        asked=ReloadAsked,
        answer=Reloaded,
        errors="409 422 503",
    )
    async def reload(self, principal: Principal, asked: ReloadAsked) -> Reloaded:
        """All of it from the next request on, or nothing where it is not sound."""
        reloader = Reloader(service=self._service)
        return await reloader.reload(dry_run=asked.dry_run, actor=Identity.of(principal))
