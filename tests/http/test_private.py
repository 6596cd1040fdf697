"""Private requests: what they say reaches no server of a model that is not private, whatever happens."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.events import Decision
from tests.conftest import ACME_KEY, Start
from tests.support.cards import card
from tests.support.gateway import KEY, Gateway, question
from tests.support.upstream import Script, Upstream, refusal, running

PLANTED = "PLANTED-7d3e about my salary"
PRIVATE = {"x-polyculture-private": "true"}
QUESTION = question(PLANTED)


def configured(inside: Upstream, outside: Upstream, **routing: Any) -> dict[str, Any]:
    """Models that are private in one place, all others in another."""
    return {
        "models": [
            card("near", inside.url, description="tea", private=True),
            card("far", outside.url, description=PLANTED),
            card("away", outside.url, description="salaries"),
            card("near-vectors", inside.url, endpoint="embeddings", private=True),
            card("far-vectors", outside.url, endpoint="embeddings"),
            card("far-judge", outside.url, endpoint="moderations"),
        ],
        "routing": {"share_cap": None, "exploration": 0.5, "fallbacks": 3, **routing},
        "tenants": [
            {"id": "acme", "key_env": "ACME_KEY", "private": True},
            {"id": "default", "corrections": {"enabled": True, "similarity": 0.0}},
        ],
    }


def ways(gateway: Gateway) -> list[httpx.Response]:
    """The same private prompt, by every API and in every way of saying that it is private."""
    post, noted = gateway.client.post, {"metadata": {"polyculture_private": "true"}}
    acme = {"authorization": f"Bearer {ACME_KEY}"}
    return [
        *(post("/v1/chat/completions", json=QUESTION, headers=PRIVATE) for _ in range(8)),
        post("/v1/chat/completions", json={**QUESTION, **noted}),
        post("/v1/chat/completions", json={**QUESTION, "stream": True}, headers=acme),
        post("/v1/completions", json={"model": "auto", "prompt": PLANTED, **noted}),
        post("/v1/responses", json={"model": "auto", "input": PLANTED, **noted}),
        post("/v1/messages", json={**QUESTION, "max_tokens": 9}, headers={**PRIVATE, "x-api-key": KEY}),
        post("/v1/embeddings", json={"model": "auto", "input": PLANTED}, headers=acme),
    ]


@pytest.mark.parametrize("trouble", ["none", "fails", "slow"])
def test_no_way_leads_to_a_model_that_is_not_private(start: Start, upstream: Upstream, trouble: str) -> None:
    with running(Upstream()) as outside:
        gateway = start(configured(upstream, outside, hedge_after_s=0.05), ACME_KEY=ACME_KEY)
        if trouble == "fails":
            upstream.scripts["near"] = refusal(500)
        if trouble == "slow":
            upstream.scripts["near"] = Script(
                pieces=upstream.speak(b"/chat/completions ", QUESTION).pieces, delay_s=0.3
            )
        statuses = {answer.status_code for answer in ways(gateway)}
        assert 200 in statuses <= ({200} if trouble == "none" else {200, 502, 503})
        assert not any(b"PLANTED" in call.body for call in outside.calls)
        assert any(b"PLANTED" in call.body for call in upstream.calls)
        decisions = [each for each in gateway.events(Decision) if each.endpoint == "chat"]
        assert {tuple(each.arms) for each in decisions} == {("near",)}
        assert all(each.private for each in decisions)


def test_a_name_does_not_lead_there_either(start: Start, upstream: Upstream) -> None:
    with running(Upstream()) as outside:
        gateway = start(configured(upstream, outside), ACME_KEY=ACME_KEY)
        acme = {"authorization": f"Bearer {ACME_KEY}"}
        for name in ("far", "away"):
            for headers in (PRIVATE, acme):
                answer = gateway.chat(PLANTED, model=name, headers=headers)
                assert answer.status_code == 403
                assert "private" in answer.json()["error"]["message"]
        judged = gateway.client.post("/v1/moderations", json={"model": "far-judge", "input": PLANTED}, headers=PRIVATE)
        assert judged.status_code == 403
        doubtful = {"x-polyculture-private": "perhaps"}
        assert gateway.chat(PLANTED, model="far", headers=doubtful).status_code == 403
        assert gateway.chat(PLANTED, model="near", headers=PRIVATE).status_code == 200
        assert not outside.calls
        for open_again in ({"x-polyculture-private": "false"}, {"x-polyculture-private": "0"}, {}):
            assert gateway.chat("Hello", model="far", headers=open_again).status_code == 200
        noted = {"polyculture_private": False, "note": "polyculture_private"}
        assert gateway.chat("Hello", model="far", metadata=noted).status_code == 200
        assert gateway.route(headers=PRIVATE)["excluded"]["far"] == "not private, as the request is"


def test_what_corrects_a_private_answer_is_told_in_private(start: Start, upstream: Upstream) -> None:
    with running(Upstream()) as outside:
        gateway = start(configured(upstream, outside), ACME_KEY=ACME_KEY)
        name = gateway.chat(PLANTED, headers=PRIVATE).headers["x-polyculture-decision-id"]
        assert gateway.feedback({"decision_id": name, "correction": "PLANTED-too"}).status_code == 200
        told = gateway.chat(PLANTED, headers=PRIVATE)
        assert told.headers["x-polyculture-corrections"] == "1"
        for _ in range(10):
            assert "x-polyculture-corrections" not in gateway.chat(PLANTED.partition(" ")[2]).headers
        assert outside.calls
        assert not any(b"PLANTED" in call.body for call in outside.calls)


@pytest.mark.parametrize("shared", ["false", "true"])
def test_a_remote_embedder_sees_private_prompts_only_where_that_is_said(
    start: Start, upstream: Upstream, shared: str
) -> None:
    with running(Upstream()) as outside:
        configuration = configured(upstream, outside)
        configuration["models"] = [each for each in configuration["models"] if each["id"] in ("near", "away")]
        gateway = start(
            configuration,
            ACME_KEY=ACME_KEY,
            POLYCULTURE_EMBEDDER=outside.url,
            POLYCULTURE_EMBEDDING_MODEL="embedder",
            POLYCULTURE_EMBEDDING_PRIVATE=shared,
        )
        answer = gateway.chat(PLANTED, headers=PRIVATE)
        assert answer.headers["x-polyculture-model"] == "near"
        assert answer.headers["x-polyculture-reason"] == ("policy" if shared == "true" else "prior")
        assert any(b"PLANTED" in call.body for call in outside.calls_of("embedder")) == (shared == "true")
        assert gateway.chat("Hello").headers["x-polyculture-reason"] == "policy"
