"""Feedback taken back over HTTP: what was learned is then what it would have been without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.events import Audited, FeedbackExcluded
from tests.admin.lived import begun, configured, teach
from tests.conftest import ACME_KEY, Start
from tests.support.command import answered, run
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream

PROMPTS = ("Question 1", "What is 2 + 2?")


def post(gateway: Gateway, what: str, document: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    return gateway.client.post(f"/admin/v1/feedback/{what}", headers=headers, json=document)


def said(gateway: Gateway, source: str | None, score: float, *, key: str = KEY) -> str:
    """Feedback of a source on a new answer; the decision's id."""
    headers = {"authorization": f"Bearer {key}"}
    name: str = gateway.chat(PROMPTS[0], headers=headers).headers["x-polyculture-decision-id"]
    answer = gateway.feedback({"decision_id": name, "score": score, "source": source}, key=key)
    assert answer.status_code == 200
    return name


def known(gateway: Gateway, *, key: str = KEY) -> list[dict[str, float]]:
    headers = {"authorization": f"Bearer {key}"}
    return [gateway.probabilities(prompt, headers=headers) for prompt in PROMPTS]


def test_what_a_user_said_counts_no_more(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=6)
    before = known(gateway)
    names = [said(gateway, "mallory", 0.0) for _ in range(4)]
    assert known(gateway) != before
    answer = post(gateway, "revoke", {"tenant": "default", "sources": ["default/mallory"], "note": "hostile"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcomes"] == 4
    assert known(gateway) == before
    (event,) = gateway.events(FeedbackExcluded)
    assert (event.reason, event.sources, event.note) == ("revoked", ["default/mallory"], "hostile")
    told = gateway.client.get(f"/v1/decisions/{names[0]}").json()["feedback"]
    assert [each["status"] for each in told] == ["revoked"]
    assert gateway.route(PROMPTS[0])["router_version"] == answer.json()["version"]
    gateway.stop()
    again = start(configured(upstream), ACME_KEY=ACME_KEY)
    assert known(again) == before


def test_a_time_and_a_tenant_can_be_taken_back(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    nothing = known(gateway)
    teach(gateway, "one", rounds=3)
    teach(gateway, "one", rounds=3, key=ACME_KEY)
    before, theirs = known(gateway), known(gateway, key=ACME_KEY)
    since = datetime.now(UTC)
    for source in (None, "u", "v"):
        said(gateway, source, 0.0)
    until = datetime.now(UTC)
    said(gateway, None, 0.0, key=ACME_KEY)
    revoked = answered(
        gateway, "feedback", "revoke", "--since", since.strftime("%Y-%m-%dT%H:%M:%S+0000"), "--tenant", "acme", "--yes"
    )
    assert revoked["outcomes"] >= 1
    time = {"since": since.isoformat(), "until": until.isoformat()}
    assert post(gateway, "revoke", {**time, "sources": ["default/"], "tenant": "default"}).json()["outcomes"] == 2
    assert post(gateway, "revoke", time).json()["outcomes"] == 3
    assert known(gateway) == before
    assert post(gateway, "revoke", {"tenant": "default"}).json()["outcomes"] == 6
    assert known(gateway) == nothing
    assert theirs != nothing


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 400),
        ({"sources": ["default/u"]}, 400),
        ({"until": "2026-01-01T00:00:00Z"}, 400),
        ({"tenant": "default", "sources": []}, 400),
        ({"tenant": "default", "sources": ["default/nobody"]}, 400),
        ({"tenant": "default", "since": "2999-01-01T00:00:00Z"}, 400),
        ({"tenant": "default", "until": "1999-01-01T00:00:00Z"}, 400),
        ({"tenant": "default", "since": "2026-01-01T00:00:00"}, 400),
        ({"tenant": "nobody"}, 404),
    ],
)
def test_what_cannot_be_taken_back_is_told(healthy: Gateway, document: dict[str, Any], status: int) -> None:
    count = len(healthy.events(FeedbackExcluded))
    answer = post(healthy, "revoke", document)
    assert answer.status_code == status, answer.text
    assert len(healthy.events(FeedbackExcluded)) == count


def test_an_admin_may_judge_any_answer(healthy: Gateway) -> None:
    chat = healthy.chat(headers={"authorization": f"Bearer {ACME_KEY}"})
    name = chat.headers["x-polyculture-decision-id"]
    assert post(healthy, "audit", {"id": chat.json()["id"], "score": 0.25}).json()["decision_id"] == name
    assert answered(healthy, "feedback", "audit", name, "0.5")["decision_id"] == name
    assert [each.reward for each in healthy.events(Audited, about=name)] == [0.25, 0.5]
    (first, _) = healthy.records(Audited, about=name)
    assert first.tenant == "acme"
    explained = healthy.client.get(f"/v1/decisions/{name}", headers={"authorization": f"Bearer {ACME_KEY}"}).json()
    assert explained["audited"] == 0.5
    unknown = run(healthy, "feedback", "audit", "0" * 32, "1")
    assert unknown.output == "Error: There is no such decision.\n"


def test_moments_lie_between_events(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    moments = []
    for score in (0.0, 0.5, 1.0):
        moments.append(datetime.now(UTC) - timedelta(microseconds=1))
        said(gateway, None, score)
    for left, moment in zip((3, 2, 1), moments, strict=True):
        document = {"tenant": "default", "since": moment.isoformat()}
        assert post(gateway, "revoke", document).json()["outcomes"] == left
