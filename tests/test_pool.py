"""Who shares what was learned, as it is configured."""

from __future__ import annotations

from typing import Any

from gateway.config import Tenant
from gateway.events import PoolJoined
from gateway.fold import Fold
from gateway.pool import memberships
from router_models import make


def changes(fold: Fold, **pools: Any) -> list[tuple[str, PoolJoined]]:
    """What is to be logged for tenants with these parts; it is folded as well."""
    found = list(memberships(fold, [Tenant(id=tenant, pool=pool) for tenant, pool in pools.items()]))
    for tenant, event in found:
        fold.pool[tenant] = fold.membership(tenant).after(event)
    return found


def test_only_changes_are_logged() -> None:
    fold = Fold(make_policy=make)
    assert changes(fold, one="none", two="none") == []
    assert changes(fold, one="contribute", two="consume", three="both") == [
        ("one", PoolJoined(True, False)),
        ("three", PoolJoined(True, True)),
        ("two", PoolJoined(False, True)),
    ]
    assert changes(fold, one="contribute", two="consume", three="both") == []
    assert changes(fold, one="both", two="none") == [
        ("one", PoolJoined(True, True)),
        ("three", PoolJoined(False, False)),
        ("two", PoolJoined(False, False)),
    ]
    assert changes(fold, one="both") == []
