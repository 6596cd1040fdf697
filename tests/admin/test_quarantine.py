"""Feedback that is withheld, over HTTP and by the command: looked at, released, rejected, taken back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.events import FeedbackExcluded, FeedbackReleased
from tests.admin.lived import configured, teach
from tests.conftest import ACME_KEY, Start
from tests.support.command import answered, run
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream

PROMPTS = ("Question 1", "What is 2 + 2?")

#: Everyone is withheld from the fourth outcome on.
DISTRUSTFUL = {"quarantine_below": 0.99}


def begun(start: Start, upstream: Upstream, **feedback: Any) -> Gateway:
    """A gateway that has learned from its operator."""
    gateway = start({**configured(upstream), "feedback": {**DISTRUSTFUL, **feedback}}, ACME_KEY=ACME_KEY)
    teach(gateway, "one", rounds=6)
    return gateway


def said(gateway: Gateway, user: str, *, times: int = 1, key: str = KEY) -> list[dict[str, Any]]:
    """What became of an end user's thumbs down, each on a new answer."""
    found = []
    for _ in range(times):
        chat = gateway.chat(PROMPTS[0], headers={"authorization": f"Bearer {key}"})
        answer = gateway.feedback({"completion_id": chat.json()["id"], "thumb": "down", "source": user}, key=key)
        found.append(answer.json())
    return found


def order(gateway: Gateway, what: str, document: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    return gateway.client.post(f"/admin/v1/feedback/{what}", headers=headers, json=document)


def withheld(gateway: Gateway, **query: Any) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    answer = gateway.client.get("/admin/v1/feedback/quarantine", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["feedback"]
    return found


def known(gateway: Gateway) -> list[dict[str, float]]:
    return [gateway.probabilities(prompt) for prompt in PROMPTS]


def told(gateway: Gateway, decision: str) -> dict[str, Any]:
    """What the explanation of a decision says of its one outcome."""
    (outcome,) = gateway.client.get(f"/v1/decisions/{decision}").json()["feedback"]
    return dict(outcome)


def test_what_is_withheld_teaches_nothing_until_an_admin_releases_it(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    assert [each["status"] for each in said(gateway, "mallory", times=3)] == ["recorded"] * 3
    before = known(gateway)
    results = said(gateway, "mallory", times=2)
    assert [(each["status"], each["learned"], each["reason"]) for each in results] == [
        ("quarantined", False, "dishonest")
    ] * 2
    assert known(gateway) == before
    listed = withheld(gateway)
    assert [each["decision_id"] for each in listed] == [each["decision_id"] for each in reversed(results)]
    newest = listed[0]
    assert (newest["tenant"], newest["source"], newest["reward"]) == ("default", "default/mallory", 0.0)
    assert (newest["reason"], newest["model"] in ("one", "two", "three")) == ("dishonest", True)
    assert 0.0 < newest["honesty"] < 0.99
    assert told(gateway, newest["decision_id"])["status"] == "withheld"

    assert order(gateway, "release", {"seq": newest["seq"]}).status_code == 200
    assert known(gateway) != before
    assert [each["seq"] for each in withheld(gateway)] == [listed[1]["seq"]]
    assert told(gateway, newest["decision_id"])["status"] == "counted"
    assert [event.seq for event in gateway.events(FeedbackReleased)] == [newest["seq"]]
    assert order(gateway, "release", {"seq": newest["seq"]}).status_code == 404


def test_what_is_rejected_is_left_out_for_good(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    said(gateway, "mallory", times=4)
    before, (entry,) = known(gateway), withheld(gateway)
    assert order(gateway, "reject", {"seq": entry["seq"]}).status_code == 200
    assert (withheld(gateway), known(gateway)) == ([], before)
    assert told(gateway, entry["decision_id"])["status"] == "rejected"
    assert [event.reason for event in gateway.events(FeedbackExcluded)] == ["rejected"]
    assert order(gateway, "release", {"seq": entry["seq"]}).status_code == 404
    gateway.stop()
    again = start({**configured(upstream), "feedback": DISTRUSTFUL}, ACME_KEY=ACME_KEY)
    assert (withheld(again), known(again)) == ([], before)


def test_a_source_that_is_taken_back_leaves_nothing_in_quarantine(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    clean = known(gateway)
    said(gateway, "mallory", times=5)
    assert known(gateway) != clean
    revoked = order(gateway, "revoke", {"tenant": "default", "sources": ["default/mallory"]})
    assert revoked.json()["outcomes"] == 5
    assert (withheld(gateway), known(gateway)) == ([], clean)
    assert [each["status"] for each in said(gateway, "mallory")] == ["recorded"]


def test_the_command_does_the_same(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    said(gateway, "mallory", times=6)
    listed = answered(gateway, "feedback", "quarantine", "--limit", "2")["feedback"]
    assert listed == withheld(gateway, limit=2)
    shown = run(gateway, "feedback", "quarantine")
    assert all(text in shown.output for text in ("default/mallory", "dishonest", str(listed[0]["seq"])))
    released, rejected = (str(each["seq"]) for each in listed)
    assert answered(gateway, "feedback", "release", released)["position"] > listed[0]["seq"]
    assert answered(gateway, "feedback", "reject", rejected)["position"] > listed[0]["seq"]
    assert len(withheld(gateway)) == 1
    gone = run(gateway, "feedback", "release", rejected)
    assert (gone.exit_code, gone.output) == (1, f"Error: No feedback {rejected} is in quarantine.\n")
    audit = gateway.client.get("/admin/v1/audit", headers={"authorization": f"Bearer {ADMIN_KEY}"}).json()
    assert {"feedback.release", "feedback.reject"} <= {each["action"] for each in audit["data"]}


def test_each_tenant_has_a_quarantine_of_its_own(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, per_hour=2)
    results = [*said(gateway, "ann", times=3), *said(gateway, "ann", times=4, key=ACME_KEY)]
    assert [each.get("reason") for each in results] == [None, None, "rate", None, None, "rate", "rate"]
    assert [each["tenant"] for each in withheld(gateway)] == ["acme", "acme", "default"]
    assert [each["source"] for each in withheld(gateway, tenant="default")] == ["default/ann"]
    assert len(withheld(gateway, tenant="acme", limit=1)) == 1
    assert gateway.metric("polyculture_quarantined_feedback") == 3
    assert gateway.metric("polyculture_feedback_sources", band="new") == 2
    assert gateway.metric("polyculture_feedback_sources", band="quarantined") == 0


@pytest.mark.parametrize(
    ("what", "document", "status", "param"),
    [
        ("release", {"seq": 10**9}, 404, "seq"),
        ("reject", {"seq": 1}, 404, "seq"),
        ("reject", {"seq": 0}, 400, "seq"),
        ("release", {}, 400, None),
        ("release", {"seq": 1, "why": ""}, 400, None),
    ],
)
def test_what_is_not_withheld_cannot_be_settled(
    healthy: Gateway, what: str, document: dict[str, Any], status: int, param: str | None
) -> None:
    answer = order(healthy, what, document)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_only_admins_look_into_the_quarantine(healthy: Gateway) -> None:
    assert healthy.client.get("/admin/v1/feedback/quarantine").status_code in (401, 403)
    unknown = run(healthy, "feedback", "quarantine", "--tenant", "nobody")
    assert (unknown.exit_code, "nobody" in unknown.output) == (1, True)
