"""Who answered, and why: response headers of forced models, ``auto`` and its policies."""

from __future__ import annotations

import re

import httpx
import pytest

from gateway.events import Answer, Decision
from tests.support.gateway import Gateway, eventually, question
from tests.support.upstream import Upstream

HEADER = "x-polyculture-"


def told(answer: httpx.Response) -> dict[str, str]:
    """The gateway's own headers, by short name."""
    return {name.removeprefix(HEADER): value for name, value in answer.headers.items() if name.startswith(HEADER)}


def test_a_routed_answer_tells_everything(healthy: Gateway) -> None:
    answer = healthy.chat("What is 12 * 7 + 5?")
    assert answer.status_code == 200
    headers = told(answer)
    assert set(headers) >= {
        "decision-id", "model", "router-version", "propensity", "reason", "overhead-ms", "cost-usd",
    }  # fmt: skip
    assert re.fullmatch(r"[0-9a-f]{32}", headers["decision-id"])
    assert headers["model"] in {"math", "chat", "code", "vision", "tiny"}
    assert headers["reason"] == "policy"
    assert 0 < float(headers["propensity"]) <= 1
    assert re.fullmatch(r"\d+\.\d+", headers["router-version"])
    assert 0 < float(headers["overhead-ms"]) < 60_000
    assert "fallback-from" not in headers
    assert "log" not in headers


def test_the_completion_id_is_made_from_the_decision_id(healthy: Gateway) -> None:
    answer = healthy.chat()
    assert answer.json()["id"] == f"chatcmpl-{told(answer)['decision-id']}"


def test_a_forced_model_answers_as_forced(healthy: Gateway, upstream: Upstream) -> None:
    answer = healthy.chat(model="math")
    headers = told(answer)
    assert (headers["model"], headers["reason"], headers["propensity"]) == ("math", "forced", "1")
    assert [call.document["model"] for call in upstream.calls] == ["math"]


def test_cost_is_the_price_of_the_tokens_that_the_upstream_counted(healthy: Gateway) -> None:
    dear, free = told(healthy.chat(model="code")), told(healthy.chat(model="chat"))
    assert float(dear["cost-usd"]) == pytest.approx((10 * 10.0 + 5 * 30.0) / 1e6)
    assert float(free["cost-usd"]) == 0.0


def test_streams_carry_the_headers_too(healthy: Gateway) -> None:
    answer = healthy.chat(stream=True, model="auto")
    headers = told(answer)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert set(headers) >= {"decision-id", "model", "router-version", "propensity", "reason", "overhead-ms"}
    assert answer.text.count(f'"chatcmpl-{headers["decision-id"]}"') > 3


def test_a_policy_narrows_the_choice(healthy: Gateway) -> None:
    models = {told(healthy.chat(f"Hello {n}", model="auto:eu"))["model"] for n in range(12)}
    assert models <= {"chat", "code"}
    decision = told(healthy.chat(model="auto:eu"))["decision-id"]
    (logged,) = healthy.events(Decision, about=decision)
    assert logged.preference == "eu"
    assert set(logged.excluded) >= {"math", "vision", "tiny"}


def test_a_request_may_ask_for_tags(healthy: Gateway) -> None:
    asking = {"x-polyculture-tags": "eu, fast"}
    assert {told(healthy.chat(f"Hi {n}", headers=asking))["model"] for n in range(5)} == {"code"}


@pytest.mark.parametrize("word", ["off", "OFF", "false", "0"])
def test_exploration_can_be_left_out(healthy: Gateway, word: str) -> None:
    answer = healthy.chat("Write a function in Python", headers={"x-polyculture-explore": word})
    assert float(told(answer)["propensity"]) == 1.0


def test_a_word_that_nobody_knows_is_refused(healthy: Gateway) -> None:
    answer = healthy.chat(headers={"x-polyculture-explore": "maybe"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-polyculture-explore")


@pytest.mark.parametrize("model", ["gpt-none", "auto:none", "AUTO", "retired", "x" * 5000, "é\u0000"])
def test_unknown_models_are_named_in_the_error(healthy: Gateway, upstream: Upstream, model: str) -> None:
    answer = healthy.chat(model=model)
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", "model", "model_not_found")
    assert not upstream.calls


def test_an_unknown_policy_says_which_there_are(healthy: Gateway) -> None:
    assert "auto:cheap, auto:eu, auto:quality" in healthy.chat(model="auto:none").json()["error"]["message"]


def test_a_model_of_another_endpoint_cannot_chat(healthy: Gateway) -> None:
    answer = healthy.chat(model="embed")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "model"


def test_a_missing_model_means_auto(healthy: Gateway) -> None:
    body = question("Hello")
    del body["model"]
    answer = healthy.client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert told(answer)["reason"] == "policy"


def test_decision_and_answer_are_on_disk_when_the_client_has_its_answer(healthy: Gateway) -> None:
    answer = healthy.chat(model="auto")
    headers = told(answer)
    (decision,) = healthy.events(Decision, about=headers["decision-id"])
    assert decision.chosen == headers["model"]
    assert f"{decision.propensity():.6g}" == headers["propensity"]
    (ended,) = eventually(lambda: healthy.events(Answer, about=headers["decision-id"]))
    assert (ended.answered, ended.status) == (headers["model"], 200)
    assert (ended.input_tokens, ended.output_tokens) == (10, 5)
