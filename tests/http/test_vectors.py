"""A tenant's vectors come from one model, whatever happens to that model or to others; chats learn nothing by it."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.events import Decision, VectorsSettled
from tests.conftest import ACME_KEY, Start
from tests.support.cards import card
from tests.support.gateway import Gateway, eventually
from tests.support.registered import Models
from tests.support.upstream import Upstream, refusal


def vectors(upstream: Upstream, *names: str, **fields: Any) -> list[dict[str, Any]]:
    return [card(name, upstream.url, endpoint="embeddings", **fields) for name in names]


def embed(gateway: Gateway, text: str = "text", *, model: str = "auto", **headers: str) -> httpx.Response:
    asked = {"model": model, "input": text}
    return gateway.client.post("/v1/embeddings", json=asked, headers=headers)


def made_by(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.headers["x-polyculture-model"]


def test_the_first_choice_stays_when_others_come_and_over_restarts(start: Start, upstream: Upstream) -> None:
    preferences = {"preferences": {"eu": {"tags": ["eu"]}}}
    chats = [card("chat", upstream.url)]
    gateway = start({"models": [*vectors(upstream, "middle"), *chats], "routing": preferences})
    assert made_by(embed(gateway)) == "middle"
    eventually(lambda: gateway.events(VectorsSettled))
    assert gateway.stop() == 0
    more = [*vectors(upstream, "a-new-one", tags=["eu"]), *vectors(upstream, "middle"), *chats]
    acme = [{"id": "acme", "key_env": "ACME_KEY"}]
    gateway = start({"models": more, "routing": preferences, "tenants": acme}, ACME_KEY=ACME_KEY)
    answer = embed(gateway)
    assert made_by(answer) == "middle"
    assert answer.headers["x-polyculture-reason"] == "settled"
    told = gateway.client.get(f"/v1/decisions/{answer.headers['x-polyculture-decision-id']}").json()
    assert told["excluded"]["a-new-one"].startswith("vectors of different models do not mix")
    assert made_by(embed(gateway, model="auto:eu")) == "a-new-one"
    assert made_by(embed(gateway, authorization=f"Bearer {ACME_KEY}")) == "a-new-one"
    assert made_by(embed(gateway, model="a-new-one")) == "a-new-one"
    eventually(lambda: len(gateway.events(VectorsSettled)) == 3)
    gateway.stop()
    gateway = start({"models": [*vectors(upstream, "a-new-one"), *chats], "routing": preferences})
    assert made_by(embed(gateway)) == "a-new-one"
    assert "vectors_moved" in gateway.log
    found = eventually(lambda: gateway.events(VectorsSettled)[3:])
    assert found == [VectorsSettled(preference="", model="a-new-one")]


def test_nobody_else_answers_for_a_model_that_cannot(start: Start, upstream: Upstream) -> None:
    models = [*vectors(upstream, "first", context_window=100), *vectors(upstream, "second")]
    gateway = start({"models": models})
    assert made_by(embed(gateway)) == "first"
    long = embed(gateway, "word " * 100)
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert "'first'" in long.json()["error"]["message"]
    upstream.scripts["first"] = refusal(500)
    statuses = [embed(gateway).status_code for _ in range(12)]
    assert statuses[0] == 502
    assert statuses[-1] == 503
    assert not upstream.calls_of("second")


def test_chats_learn_nothing_of_it(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [*vectors(upstream, "first"), card("chat", upstream.url)]})
    answer = embed(gateway)
    name = answer.headers["x-polyculture-decision-id"]
    (decision,) = gateway.events(Decision, about=name)
    assert not decision.drawn
    assert not decision.features
    assert gateway.feedback({"decision_id": name, "score": 1.0}).json()["learned"] is False
    assert gateway.metric("polyculture_routed_total") == 0
    replay = gateway.client.get(f"/v1/decisions/{name}", params={"replay": "version"}).json()["replay"]
    assert (replay["ok"], replay["version"]["note"]) == (
        True,
        "one model makes this tenant's vectors: nothing was computed",
    )


def test_a_canary_makes_no_vectors_and_a_draining_model_goes_on(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": vectors(upstream, "a", "b")})
    models = Models(gateway=gateway)
    assert models.ask("POST", "/a/state", json={"state": "canary", "share": 0.5}).json()["state"] == "canary"
    assert {made_by(embed(gateway)) for _ in range(5)} == {"b"}
    assert models.ask("POST", "/b/drain").json()["state"] == "draining"
    assert made_by(embed(gateway)) == "b"
    assert models.ask("POST", "/b/state", json={"state": "canary", "share": 0.1}).json()["state"] == "canary"
    assert {made_by(embed(gateway)) for _ in range(5)} == {"b"}
