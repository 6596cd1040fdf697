"""``polyculture router gate`` and ``promote``, and the shadow over HTTP."""

from __future__ import annotations

from tests.admin.lived import begun, live, teach
from tests.conftest import Start
from tests.gate.test_promotion import ADMIN
from tests.support.command import answered, run
from tests.support.gateway import ADMIN_KEY
from tests.support.upstream import Upstream


def test_the_gate_by_command(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, gate={"mode": "manual"})
    teach(gateway, "two", rounds=1)
    pinned = live(gateway)
    teach(gateway, "two", rounds=10)
    assert live(gateway) == pinned
    assert answered(gateway, "router", "gate")["tenants"][0]["pinned"] == pinned
    promoted = answered(gateway, "router", "promote")
    assert promoted["version"] == live(gateway) != pinned
    shown = run(gateway, "router", "gate")
    assert shown.exit_code == 0
    assert promoted["version"] in shown.output
    refused = run(gateway, "router", "promote", "9.9")
    assert refused.exit_code == 1
    assert "there is no version '9.9'" in refused.output


def test_what_goes_live_by_itself_is_not_promoted(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    refused = gateway.admin("promote", {})
    assert refused.status_code == 422
    assert "roll back instead" in refused.json()["error"]["message"]
    assert gateway.admin("promote", {"tenant": "nobody"}).status_code == 404
    assert gateway.client.get("/admin/v1/router/gate").status_code == 403


def test_a_shadow_and_its_canary_over_http(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    comparison = "/admin/v1/router/shadow/comparison"
    assert gateway.client.get(comparison, headers=ADMIN).status_code == 422
    teach(gateway, "two", rounds=5)
    assert gateway.admin("shadow", {"policy": "linucb", "canary": 0.5}).status_code == 200
    teach(gateway, "two", rounds=90)
    served = gateway.metric("polyculture_beside_requests_total", group="canary")
    assert 20 < served < 70
    found = gateway.client.get(comparison, headers={"authorization": f"Bearer {ADMIN_KEY}"})
    assert found.status_code == 200, found.text
    assert found.json()["policy"] == "linucb"
    assert found.json()["decisions"] == 90 - served
    assert answered(gateway, "router", "gate", "--shadow")["decisions"] == 90 - served
    assert gateway.admin("shadow", {"policy": ""}).status_code == 200
    teach(gateway, "two", rounds=30)
    assert gateway.metric("polyculture_beside_requests_total", group="canary") == served
