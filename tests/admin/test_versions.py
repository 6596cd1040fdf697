"""Versions over HTTP: listed, compared, kept, and returned to by the next request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.events import FeedbackExcluded
from tests.admin.lived import begun, teach
from tests.conftest import ACME_KEY, Start
from tests.support.command import answered, run
from tests.support.gateway import ADMIN_KEY, Gateway
from tests.support.upstream import Upstream

PROMPT = "Question 1"


def pinned(gateway: Gateway) -> dict[str, Any]:
    """The version of what is known by now, saved."""
    answer = gateway.admin("pin", {})
    assert answer.status_code == 200, answer.text
    version: dict[str, Any] = answer.json()
    return version


def test_a_rollback_is_what_the_next_request_goes_by(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one")
    good, before = pinned(gateway), gateway.probabilities(PROMPT)
    teach(gateway, "two", rounds=40)
    assert gateway.probabilities(PROMPT) != before
    answer = gateway.admin("rollback", {"version": good["id"], "note": "the judge was broken"})
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert gateway.probabilities(PROMPT) == before
    assert done["rollback"]["serving"] is not None
    assert 0 < done["took_ms"] < 60_000
    (event,) = gateway.events(FeedbackExcluded)
    assert (event.first, event.reason, event.version, event.note) == (
        good["position"] + 1,
        "rolled_back",
        good["id"],
        "the judge was broken",
    )
    teach(gateway, "three", rounds=8)
    assert gateway.probabilities(PROMPT) != before  # and it goes on learning from there
    name = gateway.chat(PROMPT).headers["x-polyculture-decision-id"]
    replay = gateway.client.get(f"/v1/decisions/{name}", params={"replay": "version"}).json()["replay"]
    assert replay["version"]["exact"], replay


def test_a_tenant_can_return_alone_and_a_rollback_can_be_undone(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    acme = {"authorization": f"Bearer {ACME_KEY}"}
    teach(gateway, "one", key=ACME_KEY)
    good = pinned(gateway)
    before = gateway.route(PROMPT, headers=acme)["candidates"]
    teach(gateway, "two", key=ACME_KEY)
    teach(gateway, "two")
    ours, theirs = gateway.probabilities(PROMPT), gateway.route(PROMPT, headers=acme)["candidates"]
    after = pinned(gateway)
    assert gateway.admin("rollback", {"version": good["id"], "tenant": "acme"}).status_code == 200
    assert gateway.route(PROMPT, headers=acme)["candidates"] == before
    assert gateway.probabilities(PROMPT) == ours
    assert gateway.admin("rollback", {"version": after["id"], "tenant": "acme"}).status_code == 200
    assert gateway.route(PROMPT, headers=acme)["candidates"] == theirs


def test_versions_are_listed_newest_first_shown_and_paged(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    made = []
    for _ in range(3):
        teach(gateway, "one", rounds=2)
        made.append(pinned(gateway))
    listed = gateway.look("versions")
    positions = [each["position"] for each in listed["data"]]
    assert positions == sorted(positions, reverse=True)
    assert {each["id"] for each in made} <= {each["id"] for each in listed["data"]}
    page = gateway.look("versions", limit=1)
    assert (page["data"], page["has_more"]) == (listed["data"][:1], True)
    rest = gateway.look("versions", before=positions[0])
    assert rest["data"] == listed["data"][1:]
    shown = gateway.look(f"versions/{made[0]['id']}")
    assert shown == made[0]
    assert (shown["pinned"], shown["policy"], shown["figures"]["lessons"]) == (True, "polyculture", 2)
    assert gateway.admin("pin", {"version": shown["id"], "pinned": False}).json()["pinned"] is False


def test_a_diff_tells_what_changed_most(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=4)
    before = pinned(gateway)
    teach(gateway, "two", rounds=30)
    found = gateway.look("diff", **{"from": before["id"]})
    assert found["versions"][0] == before["id"]
    assert found["lessons"] == [4, 34]
    assert {each["arm"] for each in found["differences"]} == {"one", "two", "three"}
    (two,) = (each for each in found["differences"] if each["arm"] == "two")
    assert two["shares"][1] > two["shares"][0]
    same = gateway.look("diff", **{"from": "live", "tenant": "default"})
    assert all(each["levels"][0] == each["levels"][1] for each in same["differences"])
    assert len(gateway.look("diff", **{"from": before["id"], "limit": 1})["differences"]) == 1


def test_the_commands_do_the_same(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=4)
    good = answered(gateway, "router", "pin")
    before = gateway.probabilities(PROMPT)
    teach(gateway, "two", rounds=6)
    assert answered(gateway, "router", "versions") == gateway.look("versions")
    assert answered(gateway, "router", "versions", good["id"]) == good
    assert answered(gateway, "router", "diff", good["id"]) == gateway.look("diff", **{"from": good["id"]})
    for arguments in (["versions"], ["versions", good["id"]], ["diff", good["id"]]):
        result = run(gateway, "router", *arguments)
        assert result.exit_code == 0, result.output
        assert good["id"] in result.output
    refused = run(gateway, "router", "rollback", good["id"])
    assert refused.exit_code == 1  # nobody said yes
    assert gateway.probabilities(PROMPT) != before
    done = answered(gateway, "router", "rollback", good["id"], "--yes", "--note", "why")
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    noted = gateway.client.get("/admin/v1/audit", headers=headers).json()["data"][-1]
    assert (noted["action"], json.loads(noted["detail"])) == ("router.rollback", {"note": "why", "version": good["id"]})
    assert (done["rollback"]["version"], gateway.probabilities(PROMPT)) == (good["id"], before)
    assert answered(gateway, "router", "pin", good["id"], "--unpin")["pinned"] is False


@pytest.mark.parametrize(
    ("action", "document", "status", "code"),
    [
        ("rollback", {"version": "1.999999"}, 404, "version_not_found"),
        ("rollback", {"version": "nonsense"}, 404, "version_not_found"),
        ("rollback", {"version": "1.2", "tenant": "nobody"}, 404, "tenant_not_found"),
        ("rollback", {"version": "live"}, 404, "version_not_found"),
        ("rollback", {}, 400, "invalid_request"),
        ("rollback", None, 400, "invalid_request"),
        ("rollback", {"version": "1.2", "force": True}, 400, "invalid_request"),
        ("rollback", {"version": "1.2", "tenant": ""}, 400, "invalid_request"),
        ("pin", {"version": "1.999999"}, 404, "version_not_found"),
        ("freeze", {"tenant": "nobody"}, 404, "tenant_not_found"),
        ("freeze", {"tenants": "default"}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_done_is_told(
    healthy: Gateway, action: str, document: dict[str, Any] | None, status: int, code: str
) -> None:
    answer = healthy.admin(action, document)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_there_is_no_way_back_to_now_or_to_another_feature_space(healthy: Gateway) -> None:
    status = healthy.look("status")
    answer = healthy.admin("rollback", {"version": f"{status['lineage']}.{status['position']}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_a_version_that_is_not_there_cannot_be_shown(healthy: Gateway) -> None:
    for what in ("versions/1.999999", "versions/nonsense", "diff?from=1.999999", "diff?from=live&to=x"):
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        answer = healthy.client.get(f"/admin/v1/router/{what}", headers=headers)
        assert answer.json()["error"]["code"] == "version_not_found"
