"""``GET /v1/decisions/{id}`` and ``polyculture explain``: what a decision was, to those who may know."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import ACME_KEY, Start
from tests.support.cards import card
from tests.support.command import answered, invoke, run
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, eventually
from tests.support.upstream import Upstream


def asked(gateway: Gateway, name: str, *, key: str = KEY, **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    return gateway.client.get(f"/v1/decisions/{name}", headers=headers, params=query)


def explained(gateway: Gateway, name: str, **query: str) -> Any:
    """The explanation, once it knows how the request ended, which is written a moment after the answer."""

    def whole() -> Any:
        answer = asked(gateway, name, **query)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["answer"] is not None else None

    return eventually(whole)


def test_it_says_what_the_dry_run_and_the_headers_said(healthy: Gateway) -> None:
    dry = healthy.route("What is 12 * 7 + 5?")
    answer = healthy.chat("What is 12 * 7 + 5?")
    found = explained(healthy, answer.headers["x-polyculture-decision-id"])
    assert found["completion_id"] == answer.json()["id"]
    assert {each["model"] for each in found["candidates"]} == {each["model"] for each in dry["candidates"]}
    assert sum(each["probability"] for each in found["candidates"]) == pytest.approx(1, abs=1e-12)
    assert all(isinstance(each["score"], float) for each in found["candidates"])
    assert found["excluded"] == dry["excluded"]
    assert found["chosen"] == found["answer"]["model"] == answer.headers["x-polyculture-model"]
    assert found["router_version"] == answer.headers["x-polyculture-router-version"]
    assert f"{found['propensity']:.6g}" == answer.headers["x-polyculture-propensity"]
    assert (found["tenant"], found["key"], found["reason"], found["group"]) == ("default", "default", "policy", "")
    assert 0 <= found["draw"] < 1
    assert (found["answer"]["fallback"], found["answer"]["failed"], found["answer"]["status"]) == (False, [], 200)
    assert (found["answer"]["input_tokens"], found["answer"]["output_tokens"]) == (10, 5)
    assert found["replay"] == {"ok": True, "model": found["chosen"], "version": None}


def test_any_of_its_names_will_do(healthy: Gateway) -> None:
    answer = healthy.chat()
    name = answer.headers["x-polyculture-decision-id"]
    found = explained(healthy, name)
    for other in (str(uuid.UUID(name)), name.upper(), answer.json()["id"]):
        assert asked(healthy, other).json() == found


def test_it_tells_what_was_said_of_it(healthy: Gateway) -> None:
    name = healthy.chat().headers["x-polyculture-decision-id"]
    for said in ({"score": 1}, {"score": 0.25, "comment": "hm", "correction": "Five."}, {"thumb": "up", "source": "u"}):
        assert healthy.feedback({"decision_id": name, **said}).status_code == 200
    told = explained(healthy, name)["feedback"]
    assert [(each["source"], each["status"], each["reward"]) for each in told] == [
        ("default", "amended", 1.0),
        ("default", "counted", 0.25),
        ("default/u", "counted", 1.0),
    ]
    assert (told[1]["comment"], told[1]["correction"], told[1]["implicit"]) == ("hm", "Five.", False)
    assert told[0]["at"].endswith("Z")
    assert told[0]["position"] < told[1]["position"] < told[2]["position"]


def test_what_was_taken_back_says_so_and_the_word_before_counts_again(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("only", upstream.url)]})
    name = gateway.chat().headers["x-polyculture-decision-id"]
    gateway.feedback({"decision_id": name, "score": 1})
    version = gateway.admin("pin", {}).json()["id"]
    gateway.feedback({"decision_id": name, "score": 0})
    gateway.feedback({"decision_id": name, "score": 0, "source": "u"})
    assert [each["status"] for each in explained(gateway, name)["feedback"]] == ["amended", "counted", "counted"]
    assert gateway.admin("rollback", {"version": version}).status_code == 200
    assert gateway.admin("freeze", {}).status_code == 200
    told = explained(gateway, name)["feedback"]
    assert [each["status"] for each in told] == ["counted", "rolled_back", "rolled_back"]


def test_a_forced_choice_is_explained_too(healthy: Gateway) -> None:
    name = healthy.chat(model="math").headers["x-polyculture-decision-id"]
    healthy.feedback({"decision_id": name, "score": 1})
    found = explained(healthy, name, replay="version")
    assert (found["reason"], found["chosen"], found["propensity"]) == ("forced", "math", 1.0)
    assert found["candidates"] == [{"model": "math", "probability": 1.0, "score": None}]
    assert [each["status"] for each in found["feedback"]] == ["kept"]
    assert found["replay"]["ok"] is True
    assert "the client named the model" in found["replay"]["version"]["note"]


def test_a_fallback_and_what_its_failure_taught(faulty: Gateway, upstream: Upstream) -> None:
    answer = faulty.chat(model="unreachable")
    assert answer.status_code == 502
    found = explained(faulty, answer.headers["x-polyculture-decision-id"])
    assert (found["answer"]["status"], found["answer"]["cost_usd"]) == (502, None)
    (told,) = found["feedback"]
    assert (told["source"], told["implicit"], told["reward"]) == ("implicit:error:unreachable", True, 0.0)


def test_only_its_tenant_and_admins_may_know(healthy: Gateway) -> None:
    theirs = healthy.chat(headers={"authorization": f"Bearer {ACME_KEY}"}).headers["x-polyculture-decision-id"]
    assert asked(healthy, theirs, key=ACME_KEY).status_code == 200
    assert asked(healthy, theirs, key=ADMIN_KEY).json()["tenant"] == "acme"
    answer = asked(healthy, theirs)
    assert answer.status_code == 404
    assert answer.json() == asked(healthy, "0" * 32).json()
    assert answer.json()["error"]["code"] == "decision_not_found"


@pytest.mark.parametrize("name", ["nonsense", "0" * 31, "chatcmpl-", "é", "%00", "a b"])
def test_what_is_no_decision_is_not_found(healthy: Gateway, name: str) -> None:
    assert asked(healthy, name).json()["error"]["code"] == "decision_not_found"


@pytest.mark.parametrize("query", [{"replay": "everything"}, {"replays": "version"}])
def test_a_faulty_question_is_refused(healthy: Gateway, query: dict[str, str]) -> None:
    answer = asked(healthy, "0" * 32, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


def test_the_command_says_the_same_and_so_does_the_data_directory(healthy: Gateway) -> None:
    name = healthy.chat().headers["x-polyculture-decision-id"]
    healthy.feedback({"decision_id": name, "score": 1, "comment": "[bold]\x1b[2Jgood"})
    found = explained(healthy, name)
    assert answered(healthy, "explain", name) == found
    assert answered(healthy, "explain", name, "--data-dir", str(healthy.data_dir)) == found
    shown = run(healthy, "explain", name, "--replay").output
    assert f"chosen          {found['chosen']}" in shown
    assert all(model in shown for model in found["excluded"])
    assert "[bold]\N{REPLACEMENT CHARACTER}[2Jgood" in shown
    assert "the draw again     gives" in shown
    assert "the version again  exact" in shown


def test_the_command_tells_what_it_cannot_find(healthy: Gateway) -> None:
    for arguments in ((), ("--data-dir", str(healthy.data_dir))):
        result = run(healthy, "explain", "nonsense", *arguments)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "here is no such decision" in result.output
    nowhere = invoke("explain", "0" * 32, "--data-dir", str(healthy.data_dir / "nowhere"))
    assert "there is no database in" in nowhere.output
