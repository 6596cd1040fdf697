"""A conversation stays with its model unless leaving is worth its price; every choice replays from the log."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import httpx
import pytest

from gateway.database import connect
from gateway.events import Answer, Decision
from gateway.explain.replay import recompute
from tests.conftest import Start
from tests.support.answers import completion
from tests.support.cards import card
from tests.support.gateway import Gateway, eventually
from tests.support.upstream import Script, Upstream, refusal, whole

NAMES = ("one", "two", "three")


def models(upstream: Upstream, **fields: Any) -> list[dict[str, Any]]:
    return [card(name, upstream.url, **fields) for name in NAMES]


def turn(gateway: Gateway, number: int, *, subject: str = "", **headers: str) -> httpx.Response:
    """The ``number``-th turn of a conversation, 0 the first; in headers' names, ``_`` stands for ``-``."""
    messages = [{"role": "system", "content": "Be brief."}]
    for before in range(number):
        messages += [{"role": "user", "content": f"{subject} {before}"}, {"role": "assistant", "content": "Yes."}]
    messages.append({"role": "user", "content": f"{subject} {number}"})
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = gateway.client.post("/v1/chat/completions", json={"model": "auto", "messages": messages}, headers=given)
    assert answer.status_code == 200, answer.text
    return answer


def moved(gateway: Gateway, conversations: int = 6, turns: int = 10) -> float:
    """The share of turns that another model took than the one before."""
    moves = 0
    for conversation in range(conversations):
        answers = [turn(gateway, number, subject=f"Subject {conversation}") for number in range(turns)]
        taken = [answer.headers["x-polyculture-model"] for answer in answers]
        moves += sum(before != after for before, after in pairwise(taken))
        assert "x-polyculture-conversation" not in answers[0].headers
    return moves / (conversations * (turns - 1))


def test_long_conversations_stay_where_they_are(start: Start, upstream: Upstream) -> None:
    routing = {"share_cap": None, "switch_cost": 0.6}
    held = moved(start({"models": models(upstream), "routing": routing}, home="held"))
    free = moved(start({"models": models(upstream), "routing": {**routing, "conversations": 0}}, home="free"))
    assert free > 0.4
    assert held < free / 4


def test_who_stayed_and_what_leaving_cost_is_told_and_replays(start: Start, upstream: Upstream) -> None:
    gateway = start(
        {
            "models": models(upstream, price={"input": 10.0, "cached_input": 1.0}),
            "routing": {"share_cap": 0.5, "cost_weight": 20.0, "switch_cost": 0.2},
        }
    )
    outcomes = set()
    for number in range(30):
        answer = turn(gateway, number % 10, subject=f"Subject {number // 10}")
        told = gateway.client.get(f"/v1/decisions/{answer.headers['x-polyculture-decision-id']}").json()
        assert (
            answer.headers.get("x-polyculture-conversation", "") == (told["conversation"] or {"outcome": ""})["outcome"]
        )
        if number % 10:
            assert told["conversation"]["switch_cost"] == 0.2
            assert told["conversation"]["saving_usd"] == pytest.approx(9e-6 * told["conversation"]["prefix_tokens"])
            outcomes.add(told["conversation"]["outcome"].split()[0])
        said = {"completion_id": answer.json()["id"], "score": number % 3 / 2}
        assert gateway.client.post("/v1/feedback", json=said).status_code == 200
    assert "stayed" in outcomes
    with connect(gateway.data_dir).connect() as connection:
        for record in gateway.records(Decision):
            assert isinstance(record.event, Decision)
            assert recompute(connection, record.event, tenant=record.tenant).exact
            assert bool(record.event.holder) == bool(record.event.switch_cost)


def test_a_dry_run_shows_what_leaving_costs(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": models(upstream), "routing": {"switch_cost": 0.7}})
    first = turn(gateway, 0, x_session_id="s1").headers["x-polyculture-model"]
    shown = gateway.route("And now?", headers={"x-polyculture-session": "s1"})
    assert shown["conversation"] is None  # another system prompt: another agent
    system = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "And now?"}]
    shown = gateway.client.post("/v1/route", json={"messages": system}, headers={"x-conversation-id": "s1"}).json()
    assert shown["conversation"] == {"holder": first, "switch_cost": 0.7}
    assert shown["candidates"][0]["model"] == first
    assert shown["candidates"][0]["probability"] > 0.9


def test_a_better_model_takes_a_conversation_over(start: Start, upstream: Upstream) -> None:
    routing = {"share_cap": None, "switch_cost": 0.05, "exploration": 0.5}
    gateway = start({"models": models(upstream), "routing": routing})
    holder = turn(gateway, 0, subject="Sums").headers["x-polyculture-model"]
    for number in range(60):
        drawn = turn(gateway, 1, subject="Sums", x_session_id=f"elsewhere {number}")
        score = 0.0 if drawn.headers["x-polyculture-model"] == holder else 0.9
        assert gateway.feedback({"completion_id": drawn.json()["id"], "score": score}).json()["learned"]
    answer = turn(gateway, 1, subject="Sums", x_polyculture_explore="off")
    assert answer.headers["x-polyculture-conversation"].startswith(f"moved from {holder}: another model")


def test_a_conversation_that_outgrows_its_model_moves_and_says_so(start: Start, upstream: Upstream) -> None:
    cards = [card("small", upstream.url, context_window=100), card("large", upstream.url, enabled=True)]
    gateway = start({"models": cards, "routing": {"switch_cost": 1.0, "exploration": 0.0, "share_cap": None}})
    headers = {"x-polyculture-session": "s"}
    while gateway.chat("Hello", headers=headers).headers["x-polyculture-model"] != "small":
        headers["x-polyculture-session"] += "s"
    answer = gateway.chat("word " * 100, headers=headers)
    assert answer.headers["x-polyculture-conversation"] == "moved from small: context window below 142 tokens"
    assert answer.headers["x-polyculture-model"] == "large"


def test_a_conversation_moves_with_a_fallback(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": models(upstream), "routing": {"switch_cost": 1.0, "exploration": 0.0, "fallbacks": 2}})
    holder = turn(gateway, 0, x_session_id="s").headers["x-polyculture-model"]
    upstream.scripts[holder] = refusal(500)
    answer = turn(gateway, 1, x_session_id="s")
    other = answer.headers["x-polyculture-model"]
    assert other != holder
    del upstream.scripts[holder]
    assert turn(gateway, 2, x_session_id="s").headers["x-polyculture-model"] == other


def test_a_restart_forgets_who_held_and_goes_on(start: Start, upstream: Upstream) -> None:
    configuration = {"models": models(upstream), "routing": {"switch_cost": 1.0}}
    gateway = start(configuration)
    turn(gateway, 0, x_session_id="s")
    assert turn(gateway, 1, x_session_id="s").headers["x-polyculture-conversation"] == "stayed"
    assert gateway.stop() == 0
    gateway = start(configuration)
    assert "x-polyculture-conversation" not in turn(gateway, 2, x_session_id="s").headers
    assert "x-polyculture-conversation" in turn(gateway, 3, x_session_id="s").headers


def test_cached_tokens_are_paid_for_as_such(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("one", upstream.url, price={"input": 10.0, "output": 0.0, "cached_input": 1.0})]})
    document = {"model": "one", "messages": []}
    for details, cached in (
        ({"cached_tokens": 8}, 8),
        ({"cached_tokens": "8"}, 0),
        ([], 0),
        ({"cached_tokens": 99}, 10),
    ):
        usage: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": details}
        upstream.scripts["one"] = Script(pieces=[whole(completion(document, usage=usage))])
        answer = gateway.chat()
        assert float(answer.headers["x-polyculture-cost-usd"]) == pytest.approx((100 - 9 * cached) / 1e6)
        name = answer.headers["x-polyculture-decision-id"]
        (found,) = eventually(lambda name=name: gateway.events(Answer, about=name))
        assert found.cached_tokens == cached


def test_a_tenant_may_be_spared_exploration(start: Start, upstream: Upstream) -> None:
    configuration = {"models": models(upstream), "tenants": [{"id": "default", "explore": False}]}
    gateway = start(configuration)
    shown = gateway.route("Hello")
    assert not any(0 < each["probability"] < 1 / 3 - 1e-9 for each in shown["candidates"])
    answer = gateway.chat("Hello")
    (decision,) = gateway.events(Decision, about=answer.headers["x-polyculture-decision-id"])
    assert not decision.explore
    assert json.loads(answer.content)["id"].startswith("chatcmpl-")
