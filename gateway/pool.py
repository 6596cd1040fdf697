"""Who shares what was learned: contributors teach the pool, consumers begin by what it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.config import Tenant
from gateway.events import PoolJoined
from gateway.fold import Fold


def memberships(fold: Fold, tenants: Iterable[Tenant]) -> Iterator[tuple[str, PoolJoined]]:
    """Each tenant whose part in the pool is to be another one than the log says, and its new part."""
    wanted = {tenant.id: tenant for tenant in tenants}
    for tenant in sorted(wanted.keys() | fold.pool.keys()):
        part, declared = fold.membership(tenant), wanted.get(tenant)
        gives = declared is not None and declared.contributes
        takes = declared is not None and declared.consumes
        if (gives, takes) != (part.gives, part.takes):
            yield tenant, PoolJoined(contributes=gives, consumes=takes)
