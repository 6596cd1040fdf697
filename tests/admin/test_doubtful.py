"""Answers worth an audit, over HTTP and by the command."""

from __future__ import annotations

from typing import Any

from tests.admin.lived import configured, teach
from tests.conftest import ACME_KEY, Start
from tests.support.command import answered, run
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream

ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


def begun(start: Start, upstream: Upstream, **feedback: Any) -> Gateway:
    """A gateway that has learned from its operator that model one is good."""
    gateway = start({**configured(upstream), "feedback": feedback}, ACME_KEY=ACME_KEY)
    for key in (KEY, ACME_KEY):
        teach(gateway, "one", rounds=24, key=key)
    return gateway


def said(gateway: Gateway, user: str, score: float, *, key: str = KEY) -> str:
    """The decision of a new answer by model one of which an end user says this."""
    asked = (gateway.chat("Question 1", headers={"authorization": f"Bearer {key}"}) for _ in range(100))
    chat = next(each for each in asked if each.headers["x-polyculture-model"] == "one")
    answer = gateway.feedback({"completion_id": chat.json()["id"], "score": score, "source": user}, key=key)
    return str(answer.json()["decision_id"])


def doubtful(gateway: Gateway, **query: Any) -> list[dict[str, Any]]:
    answer = gateway.client.get("/admin/v1/feedback/doubtful", headers=ADMIN, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["answers"]
    return found


def audit(gateway: Gateway, decision: str, score: float) -> None:
    asked = {"id": decision, "score": score}
    assert gateway.client.post("/admin/v1/feedback/audit", headers=ADMIN, json=asked).status_code == 200


def test_what_surprises_is_worth_an_audit_and_an_audit_settles_it(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    usual, down, again = said(gateway, "ann", 1.0), said(gateway, "mallory", 0.0), said(gateway, "mallory", 0.0)
    listed = doubtful(gateway)
    assert {each["decision_id"] for each in listed} == {usual, down, again}
    assert listed[-1]["decision_id"] == usual
    first = listed[0]
    assert (first["tenant"], first["source"]) == ("default", "default/mallory")
    assert (first["model"], first["reward"]) == ("one", 0.0)
    assert 0.5 < first["expected"] < 1.0
    assert [each["worth"] for each in listed] == sorted((each["worth"] for each in listed), reverse=True)

    audit(gateway, first["decision_id"], 1.0)
    (left,) = (each for each in doubtful(gateway) if each["source"] == "default/mallory")
    assert left["decision_id"] in {down, again} - {first["decision_id"]}
    assert left["honesty"] < 0.6 * first["honesty"]


def test_tenants_are_told_apart(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    said(gateway, "ann", 0.0)
    ours = said(gateway, "ann", 0.0, key=ACME_KEY)
    assert [each["decision_id"] for each in doubtful(gateway, tenant="acme")] == [ours]
    assert {each["tenant"] for each in doubtful(gateway)} == {"acme", "default"}
    assert len(doubtful(gateway, limit=1)) == 1


def test_the_command_does_the_same(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    down = said(gateway, "mallory", 0.0)
    assert answered(gateway, "feedback", "doubtful", "--limit", "1")["answers"] == doubtful(gateway, limit=1)
    shown = run(gateway, "feedback", "doubtful", "--tenant", "default")
    assert all(text in shown.output for text in ("default/mallory", down))
    answered(gateway, "feedback", "audit", down, "0")
    assert doubtful(gateway) == []


def test_where_everybody_is_believed_nothing_is_in_doubt(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, trust=False)
    said(gateway, "mallory", 0.0)
    assert doubtful(gateway) == []


def test_only_admins_are_told(healthy: Gateway) -> None:
    assert healthy.client.get("/admin/v1/feedback/doubtful").status_code in (401, 403)
    unknown = run(healthy, "feedback", "doubtful", "--tenant", "nobody")
    assert (unknown.exit_code, "nobody" in unknown.output) == (1, True)
