"""Retries, rivals, limits and probes: what stands between a client and a server that fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from gateway.events import Answer, Feedback
from tests.support import answers
from tests.support.cards import Card, card
from tests.support.gateway import Gateway, eventually
from tests.support.upstream import Script, Upstream, refusal, whole

Start = Callable[..., Gateway]

SLOW = Script(pieces=[whole(answers.completion({"model": "slow", "messages": []}))], delay_s=2.0)


def pair(upstream: Upstream, **routing: Any) -> dict[str, Any]:
    return {"models": [card("first", upstream.url), card("second", upstream.url)], "routing": routing}


def limited(name: str, upstream: Upstream, concurrency: int) -> Card:
    made = card(name, upstream.url)
    made["upstream"]["concurrency"] = concurrency
    return made


def test_a_model_that_fails_once_is_asked_once_more(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url)]})
    upstream.once = {"first": refusal(503)}
    answer = gateway.chat(model="first")
    assert answer.status_code == 200
    assert len(upstream.calls_of("first")) == 2
    assert "x-polyculture-fallback-from" not in answer.headers
    (ended,) = eventually(lambda: gateway.events(Answer, about=answer.headers["x-polyculture-decision-id"]))
    assert ended.failed == []


def test_without_retries_it_is_not(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url)], "routing": {"retries": 0}})
    upstream.scripts = {"first": refusal(503)}
    assert gateway.chat().status_code == 502
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_a_silent_model_gets_a_rival_and_is_not_blamed(start: Start, upstream: Upstream, streaming: bool) -> None:
    gateway = start(pair(upstream, hedge_after_s=0.1))
    for slow, quick in (("first", "second"), ("second", "first")):
        upstream.clear()
        upstream.scripts = {slow: SLOW}
        found: list[httpx.Response] = []
        while len(found) < 3 or not upstream.calls_of(slow):
            assert len(found) < 100
            found.append(gateway.chat(f"Question {len(found)}", stream=streaming))
        assert {answer.headers["x-polyculture-model"] for answer in found} == {quick}
        passed = {answer.headers.get("x-polyculture-fallback-from") for answer in found}
        assert slow in passed <= {slow, None}  # told, where it was drawn
        for answer in found:
            assert gateway.events(Feedback, about=answer.headers["x-polyculture-decision-id"]) == []


def test_a_rival_does_not_help_where_all_fail(start: Start, upstream: Upstream) -> None:
    gateway = start(pair(upstream, hedge_after_s=0.05, retries=0))
    late = refusal(500)
    upstream.scripts = {name: Script(pieces=late.pieces, delay_s=0.2) for name in ("first", "second")}
    answer = gateway.chat()
    assert answer.status_code == 502
    assert len(upstream.calls) == 2


def test_a_model_at_its_limit_is_left_out(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [limited("first", upstream, 1)]})
    upstream.scripts = {"first": SLOW}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gateway.chat)
        upstream.wait_for_call("first")
        refused = gateway.chat()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "concurrency limit" in refused.json()["error"]["message"]
        assert waiting.result().status_code == 200
    upstream.scripts = {}
    assert gateway.chat().status_code == 200


@pytest.mark.parametrize(("model", "answered"), [("first", 2), ("auto", 12)])
def test_a_servers_limit_holds_for_requests_that_come_at_once(
    start: Start, upstream: Upstream, model: str, answered: int
) -> None:
    """Nobody is blamed for having no room, and who answered in whose place is told."""
    gateway = start({"models": [limited("first", upstream, 2), card("second", upstream.url)]})
    upstream.scripts = {"first": SLOW}
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: gateway.chat(f"Question {number}", model=model), range(12)))
    served = [answer for answer in found if answer.status_code == 200]
    assert len(served) == answered
    assert len(upstream.calls_of("first")) <= 2
    for answer in found:
        if answer.status_code != 200:
            assert (answer.status_code, int(answer.headers["retry-after"])) == (503, 1)
            assert "concurrency limit" in answer.json()["error"]["message"]
        assert answer.headers.get("x-polyculture-fallback-from") in (None, "first")
        assert not gateway.events(Feedback, about=answer.headers["x-polyculture-decision-id"])


def test_a_server_that_rests_is_not_asked_by_name_either(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url)]})
    upstream.scripts = {"first": refusal(500)}
    for _ in range(2):
        assert gateway.chat(model="first").status_code == 502
    asked = len(upstream.calls)
    answer = gateway.chat(model="first")
    assert (answer.status_code, int(answer.headers["retry-after"])) == (503, 2)
    assert "resting" in answer.json()["error"]["message"]
    assert len(upstream.calls) == asked
    upstream.scripts = {}
    eventually(lambda: gateway.chat(model="first").status_code == 200)


def test_more_than_the_gateway_takes_on_is_turned_away(start: Start, upstream: Upstream) -> None:
    gateway = start(
        {"models": [card("first", upstream.url)]}, POLYCULTURE_MAX_CONCURRENT="2", POLYCULTURE_MAX_QUEUED="1"
    )
    upstream.scripts = {"first": Script(pieces=SLOW.pieces, delay_s=0.5)}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: gateway.chat(), range(8)))
    served = [answer for answer in found if answer.status_code == 200]
    shed = [answer for answer in found if answer.status_code == 503]
    assert len(served) >= 3
    assert len(served) + len(shed) == 8
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in shed)
    assert gateway.metric("polyculture_shed_total") == len(shed)


def test_no_request_tries_a_dead_server_before_a_probe_has_found_it_alive(start: Start, upstream: Upstream) -> None:
    dead = card("first", "http://127.0.0.1:9/v1")
    gateway = start({"models": [dead, card("second", upstream.url)]})
    for _ in range(2):  # each asks twice
        assert gateway.chat(model="first").status_code == 502
    gateway.client.get("/healthz")
    eventually(lambda: gateway.route()["excluded"] == {"first": "resting after failures"})
    assert all(gateway.chat(f"Question {n}").headers["x-polyculture-model"] == "second" for n in range(20))


def test_a_server_that_is_found_alive_gets_one_request_and_then_all(start: Start, upstream: Upstream) -> None:
    gateway = start(pair(upstream))
    upstream.scripts = {"first": refusal(500)}
    for _ in range(3):
        gateway.chat(model="first")
    assert gateway.route()["excluded"] == {"first": "resting after failures"}
    upstream.scripts = {}
    eventually(lambda: upstream.probes)
    eventually(lambda: gateway.route()["excluded"] == {})
    assert gateway.chat(model="first").status_code == 200
