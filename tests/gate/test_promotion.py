"""A version with arms permuted is refused; forced live, it is taken back by itself. Over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.admin.lived import begun, live, teach
from tests.conftest import Start
from tests.gate.forged import permuted
from tests.support.gateway import ADMIN_KEY, Gateway, eventually
from tests.support.upstream import Upstream

ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}
GOOD = "two"


def exported(gateway: Gateway) -> bytes:
    return gateway.client.get("/admin/v1/router/export", headers=ADMIN).content


def imported(gateway: Gateway, data: bytes, **query: Any) -> httpx.Response:
    return gateway.client.post("/admin/v1/router/import", headers=ADMIN, params=query, content=data)


def audited(gateway: Gateway, action: str) -> list[dict[str, Any]]:
    entries = gateway.client.get("/admin/v1/audit", headers=ADMIN, params={"limit": 1000}).json()["data"]
    return [entry for entry in entries if entry["action"] == action]


def standing(gateway: Gateway) -> dict[str, Any]:
    found = gateway.client.get("/admin/v1/router/gate", headers=ADMIN)
    assert found.status_code == 200, found.text
    return next(each for each in found.json()["tenants"] if each["tenant"] == "default")


def test_arms_permuted_are_refused_and_nothing_changes(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, GOOD, rounds=150)
    before, version = gateway.probabilities("Question 1"), live(gateway)
    refused = imported(gateway, permuted(exported(gateway)))
    assert refused.status_code == 422
    assert "the gate refuses this state" in refused.json()["error"]["message"]
    assert (gateway.probabilities("Question 1"), live(gateway)) == (before, version)
    assert imported(gateway, exported(gateway)).status_code == 200
    gateway.stop()
    again = begun(start, upstream)
    assert imported(again, permuted(exported(again))).status_code == 422


def test_forced_live_it_is_taken_back_within_300_outcomes(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, gate={"mode": "manual"})
    teach(gateway, GOOD, rounds=150)
    assert gateway.admin("promote", {}).status_code == 200
    good, before = live(gateway), gateway.probabilities("Question 1")
    assert before[GOOD] > 0.8
    assert imported(gateway, permuted(exported(gateway)), force=True).status_code == 200
    assert live(gateway) == good
    assert gateway.admin("promote", {}).status_code == 422
    promoted = gateway.admin("promote", {"force": True})
    assert promoted.status_code == 200, promoted.text
    assert live(gateway) == promoted.json()["version"] != good
    assert gateway.probabilities("Question 1")[GOOD] < 0.2
    trial = standing(gateway)["trial"]
    assert (trial["cause"], trial["trusted"], trial["outcomes"]) == ("promoted", good, 0)
    assert trial["doubts"]
    outcomes = 0
    while live(gateway) != good:
        teach(gateway, GOOD, rounds=1)
        outcomes += 1
    assert 0 < outcomes <= 300
    eventually(lambda: audited(gateway, "gate.rollback"))
    eventually(lambda: standing(gateway)["pinned"] == good)
    assert gateway.probabilities("Question 1")[GOOD] > 0.8
    assert gateway.metric("polyculture_gate_rollbacks_total", cause="promoted") == 1
    assert gateway.metric("polyculture_beside_requests_total", group="control") > 0
    assert "version_taken_back" in gateway.log
