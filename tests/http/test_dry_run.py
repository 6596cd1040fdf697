"""``POST /v1/route``: who would be chosen, how likely, and why the others may not."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.events import Decision
from tests.conftest import ACME_KEY, Start
from tests.support.cards import card
from tests.support.gateway import Gateway, eventually, question
from tests.support.upstream import Upstream

LONG = "word " * 2000
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


def test_probabilities_sum_to_one_and_come_largest_first(healthy: Gateway) -> None:
    shown = healthy.route("What is 12 * 7 + 5?")
    probabilities = [each["probability"] for each in shown["candidates"]]
    assert sum(probabilities) == pytest.approx(1, abs=1e-12)
    assert probabilities == sorted(probabilities, reverse=True)
    assert {each["model"] for each in shown["candidates"]} == {"math", "chat", "code", "vision", "tiny"}
    assert all(isinstance(each["score"], float) for each in shown["candidates"])
    assert shown["reason"] == "policy"
    assert all(probability >= 0.01 / 5 * 0.999 for probability in probabilities)


def test_nothing_is_asked_or_logged(healthy: Gateway, upstream: Upstream) -> None:
    before = len(healthy.events(Decision))
    healthy.route("Hello")
    healthy.route("Hello", model="math")
    assert not upstream.calls
    assert len(healthy.events(Decision)) == before


@pytest.mark.parametrize(
    ("fields", "headers", "expected"),
    [
        ({"prompt": LONG}, {}, {"tiny": "context window below"}),
        ({"prompt": LONG, "max_tokens": 7000}, {}, {"math": "context window below", "chat": "context window below"}),
        ({"tools": TOOLS}, {}, {"math": "takes no tools", "vision": "takes no tools"}),
        ({"prompt": [PICTURE]}, {}, {"math": "takes no images", "code": "takes no images"}),
        ({"response_format": {"type": "json_object"}}, {}, {"chat": "has no JSON mode"}),
        ({}, {"x-polyculture-tags": "fast"}, {"chat": "lacks the tags fast", "math": "lacks the tags fast"}),
        ({"model": "auto:eu"}, {"x-polyculture-tags": "fast"}, {"chat": "lacks the tags eu, fast"}),
        ({}, {}, {"retired": "disabled", "embed": "does not serve chat"}),
    ],
)
def test_the_excluded_are_told_why(
    healthy: Gateway, fields: dict[str, Any], headers: dict[str, str], expected: dict[str, str]
) -> None:
    shown = healthy.route(**fields, headers=headers)
    for model, why in expected.items():
        assert shown["excluded"][model].startswith(why)
    candidates = {each["model"] for each in shown["candidates"]}
    assert candidates
    assert not candidates & set(shown["excluded"])
    assert sum(each["probability"] for each in shown["candidates"]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": LONG, "max_tokens": 200_000}, "context_length_exceeded"),
        ({"prompt": [SOUND]}, "no_eligible_model"),
        ({"prompt": [PICTURE], "tools": TOOLS}, "no_eligible_model"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/route", "/v1/chat/completions"])
def test_nobody_eligible_is_a_clear_error(healthy: Gateway, fields: dict[str, Any], code: str, path: str) -> None:
    answer = healthy.client.post(path, json=question(**{"prompt": "Hi", **fields}))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_forced_model_is_certain(healthy: Gateway) -> None:
    shown = healthy.route("Hi", model="code")
    assert shown["candidates"] == [{"model": "code", "probability": 1.0, "score": None}]
    assert shown["reason"] == "forced"


def test_a_policy_may_mind_the_cost(healthy: Gateway) -> None:
    prompt = "Write a Python function that sorts a list."
    plain, cheap = healthy.probabilities(prompt), healthy.probabilities(prompt, model="auto:cheap")
    assert cheap["code"] < plain["code"]


def test_a_model_beyond_the_budget_has_no_score_and_no_chance(start: Start, upstream: Upstream) -> None:
    prices = {"dear": {"input": 100.0, "output": 100.0}, "cheap": {}}
    models = [card(name, upstream.url, description="cats", price=price) for name, price in prices.items()]
    gateway = start({"models": models, "routing": {"budget": 1e-6, "share_cap": None}})
    paid: set[str] = set()
    while paid != prices.keys():  # what a model costs is known once it was paid
        paid.add(gateway.chat().headers["x-polyculture-model"])
    expected = {"model": "dear", "probability": 0.0, "score": None}
    eventually(lambda: expected in gateway.route()["candidates"])
    name = gateway.chat().headers["x-polyculture-decision-id"]
    explained = gateway.client.get(f"/v1/decisions/{name}").json()
    assert expected in explained["candidates"]


def test_a_tenants_models_are_the_only_ones_it_sees(healthy: Gateway) -> None:
    headers = {"authorization": f"Bearer {ACME_KEY}"}
    shown = healthy.route(headers=headers)
    assert {each["model"] for each in shown["candidates"]} == {"math", "chat"}
    assert shown["excluded"]["code"] == "not allowed for this tenant"
    assert healthy.chat(model="code", headers=headers).status_code == 404
    listed = healthy.client.get("/v1/models", headers=headers).json()["data"]
    assert {model["id"] for model in listed if not model["id"].startswith("auto")} == {"math", "chat"}


def test_embeddings_never_mix_vectors_of_two_models(healthy: Gateway) -> None:
    asked = {"model": "auto", "input": "text"}
    models = {healthy.client.post("/v1/embeddings", json=asked).headers["x-polyculture-model"] for _ in range(10)}
    assert models == {"embed"}
