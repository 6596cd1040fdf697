"""Tenants of one gateway: strangers, but for what they put into the pool and take from it."""

from __future__ import annotations

from typing import Any

from gateway.events import PoolJoined
from tests.conftest import Start
from tests.support.cards import healthy
from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Upstream

KEYS = {name: f"pc-{name}-key" for name in ("acme", "giver", "taker")}


def asking(gateway: Gateway, tenant: str) -> Any:
    """All that a dry run tells a tenant."""
    headers = {"authorization": f"Bearer {KEYS.get(tenant, KEY)}"}
    return {key: value for key, value in gateway.route("Hello", headers=headers).items() if "id" not in key}


def teach(gateway: Gateway, tenant: str, times: int = 10) -> None:
    """Let a tenant say that whoever answers answers badly."""
    headers = {"authorization": f"Bearer {KEYS[tenant]}"}
    for number in range(times):
        answer = gateway.chat(f"Question {number}", headers=headers)
        said = {"decision_id": answer.headers["x-polyculture-decision-id"], "score": 0.0}
        assert gateway.feedback(said, key=KEYS[tenant]).json()["learned"]


def labels(gateway: Gateway) -> set[str]:
    return {value for _, given in gateway.metrics() for _, value in given}


def test_what_one_tenant_says_is_seen_by_nobody_else(start: Start, upstream: Upstream) -> None:
    pools = {"acme": "none", "giver": "contribute", "taker": "consume"}
    tenants = [{"id": name, "key_env": name.upper(), "pool": pool} for name, pool in pools.items()]
    document = {**healthy(upstream.url), "tenants": tenants}
    gateway = start(document, **{name.upper(): key for name, key in KEYS.items()})
    assert [each.event for each in gateway.records(PoolJoined)] == [PoolJoined(True, False), PoolJoined(False, True)]
    before = {name: asking(gateway, name) for name in ("", *KEYS)}

    teach(gateway, "acme")
    after = {name: asking(gateway, name) for name in ("", *KEYS)}
    assert [name for name in after if after[name] != before[name]] == ["acme"]

    teach(gateway, "giver")
    later = {name: asking(gateway, name) for name in ("", *KEYS)}
    assert [name for name in later if later[name] != after[name]] == ["giver", "taker"]

    teach(gateway, "taker")
    last = {name: asking(gateway, name) for name in ("", *KEYS)}
    assert [name for name in last if last[name] != later[name]] == ["taker"]

    assert not {label for label in labels(gateway) if any(name in label for name in KEYS)}
    assert not any(name in gateway.log for name in KEYS)
