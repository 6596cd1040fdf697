"""Limits over HTTP: exact under many clients, told in headers, given back when requests fail or are left."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.keys.conftest import Desk, desk, gateway
from tests.support import answers
from tests.support.gateway import PATIENCE_S, Gateway, eventually, question
from tests.support.upstream import Script, Upstream, refusal, stream, whole

__all__ = ["desk", "gateway"]

#: Requests at once, and of how many.
CLIENTS, REQUESTS = 64, 192

PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": question("Hi", model="math"),
    "/v1/completions": {"model": "math", "prompt": "Hi"},
    "/v1/responses": {"model": "math", "input": "Hi"},
    "/v1/messages": {"model": "math", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]},
    "/v1/embeddings": {"model": "embed", "input": "Hi"},
}


def storm(gateway: Gateway, secret: str, **fields: Any) -> list[httpx.Response]:
    """Many requests, 64 at a time."""

    async def main() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=CLIENTS)
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            base_url=gateway.url, limits=limits, timeout=PATIENCE_S, headers=headers, trust_env=False
        ) as client:
            body = question("Hi", model="math", **fields)
            return await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(REQUESTS)))

    return asyncio.run(main())


def statuses(found: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in found)


def use(desk: Desk, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.done("GET", f"keys/{made['id']}")["use"]
    return found


def test_under_many_clients_exactly_as_many_requests_are_let_through(desk: Desk) -> None:
    made = desk.make("requests", limits={"requests_per_minute": 50})
    found = storm(desk.gateway, made["secret"])
    assert statuses(found) == {200: 50, 429: REQUESTS - 50}
    for each in found:
        assert each.headers["x-ratelimit-limit-requests"] == "50"
        if each.status_code == 429:
            assert 1 <= int(each.headers["retry-after"]) <= 60
            assert each.json()["error"]["code"] == "rate_limit_exceeded"
            assert each.headers["x-ratelimit-remaining-requests"] == "0"
    assert use(desk, made)["requests_left"] == 0


def test_under_many_clients_no_more_tokens_are_let_through(desk: Desk) -> None:
    made = desk.make("tokens", limits={"tokens_per_minute": 1000})
    found = storm(desk.gateway, made["secret"], max_tokens=5)
    tokens = sum(each.json()["usage"]["total_tokens"] for each in found if each.status_code == 200)
    assert 0 < tokens <= 1000
    assert use(desk, made)["tokens_left"] == 1000 - tokens
    assert statuses(found)[429] == REQUESTS - tokens // 15


def test_under_many_clients_no_more_money_is_spent(desk: Desk) -> None:
    made = desk.make("money", limits={"usd_per_day": 0.001, "soft_stop": 1.0})
    found = storm(desk.gateway, made["secret"], max_tokens=5)
    spent = sum(float(each.headers["x-polyculture-cost-usd"]) for each in found if each.status_code == 200)
    assert 0 < spent <= 0.001
    refused = next(each for each in found if each.status_code == 429)
    assert refused.json()["error"]["code"] == "budget_exceeded"
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert use(desk, made)["usd_today"] == pytest.approx(spent)
    (sums,) = desk.done("GET", "spend", by="key", key="money")["data"]
    assert (sums["usd"], sums["requests"]) == (pytest.approx(spent), statuses(found)[200])


def test_under_many_clients_no_more_are_under_way(desk: Desk, upstream: Upstream) -> None:
    made = desk.make("few", limits={"concurrency": 3})
    body = answers.completion({"model": "math", "messages": [{"role": "user"}]})
    upstream.scripts["math"] = Script(pieces=[whole(body)], delay_s=0.05)
    found = storm(desk.gateway, made["secret"])
    assert statuses(found)[200] >= 3
    refused = next(each for each in found if each.status_code == 429)
    assert (refused.headers["retry-after"], "at once" in refused.text) == ("1", True)
    assert use(desk, made)["under_way"] == 0


@pytest.mark.parametrize("path", PATHS)
def test_every_endpoint_keeps_to_the_limits(desk: Desk, path: str) -> None:
    made = desk.make("all" + path.replace("/", "."), limits={"requests_per_minute": 1, "tokens_per_minute": 90_000})
    bearer = {"authorization": f"Bearer {made['secret']}"}
    first, second = (desk.gateway.client.post(path, json=PATHS[path], headers=bearer) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429), first.text
    name = "anthropic-ratelimit-{}-remaining" if path == "/v1/messages" else "x-ratelimit-remaining-{}"
    assert first.headers[name.format("requests")] == "0"
    assert 80_000 < int(first.headers[name.format("tokens")]) < 90_000
    assert second.headers[name.format("requests")] == "0"


def test_what_is_passed_on_counts_as_requests_alone(desk: Desk) -> None:
    made = desk.make("judging", limits={"requests_per_minute": 1, "tokens_per_minute": 10, "usd_per_day": 0.01})
    bearer, document = {"authorization": f"Bearer {made['secret']}"}, {"model": "judge", "input": "a kind word"}
    found = [desk.gateway.client.post("/v1/moderations", json=document, headers=bearer) for _ in range(2)]
    assert [each.status_code for each in found] == [200, 429]
    assert [each.headers["x-ratelimit-remaining-tokens"] for each in found] == ["10", "10"]


def test_headers_are_as_openai_writes_them(desk: Desk) -> None:
    made = desk.make("headers", limits={"requests_per_minute": 10, "tokens_per_minute": 20_000})
    answer = desk.chat(made["secret"], model="math", max_tokens=5)
    shown = {name: value for name, value in answer.headers.items() if name.startswith("x-ratelimit")}
    assert shown.pop("x-ratelimit-reset-requests") in {"59s", "1m0s"}
    assert shown.pop("x-ratelimit-reset-tokens") in {"59s", "1m0s"}
    assert shown == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-limit-tokens": "20000",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-remaining-tokens": str(20_000 - 15),
    }
    assert not any(name.startswith("x-ratelimit") for name in desk.gateway.chat().headers)


def test_what_fails_gives_back_its_tokens_and_its_money(desk: Desk, upstream: Upstream) -> None:
    made = desk.make("failing", limits={"tokens_per_minute": 9000, "usd_per_day": 1.0, "requests_per_minute": 9})
    upstream.scripts["math"] = refusal(500)
    assert desk.chat(made["secret"], model="math").status_code == 502
    upstream.scripts["math"] = refusal(400)
    assert desk.chat(made["secret"], model="math").status_code == 400
    assert desk.chat(made["secret"], model="nobody").status_code == 404
    left = use(desk, made)
    assert left == {
        "usd_today": 0.0, "usd_this_month": 0.0, "usd_reserved": 0.0, "under_way": 0,
        "requests_left": 6, "tokens_left": 9000,
    }  # fmt: skip


def test_streams_settle_at_their_end(desk: Desk, upstream: Upstream) -> None:
    made = desk.make("streams", limits={"tokens_per_minute": 9000, "usd_per_day": 1.0})
    told = desk.chat(made["secret"], model="math", stream=True, stream_options={"include_usage": True})
    assert told.status_code == 200
    left = use(desk, made)
    assert (left["tokens_left"], left["usd_today"]) == (9000 - 15, pytest.approx(20e-6))
    assert desk.chat(made["secret"], model="math", stream=True).status_code == 200  # nobody tells what it took
    again = use(desk, made)
    assert (again["tokens_left"], again["under_way"]) == (9000 - 15 - 1 - 5, 0)
    assert again["usd_today"] == pytest.approx(20e-6 + 1e-6 + 5 * 2e-6)
    (sums,) = desk.done("GET", "spend", by="key", key="streams")["data"]
    assert (sums["requests"], sums["estimated"], sums["output_tokens"]) == (2, 1, 10)


def test_a_client_that_leaves_pays_for_what_was_said(desk: Desk, upstream: Upstream) -> None:
    made = desk.make("leaving", limits={"tokens_per_minute": 9000, "usd_per_day": 1.0})
    events = answers.events({"model": "math"})
    upstream.scripts["math"] = Script(pieces=stream(events[:4], end=False), ending="hang")
    body = json.dumps(question("Hi", model="math", stream=True)).encode()
    with socket.create_connection(("127.0.0.1", desk.gateway.port), timeout=PATIENCE_S) as client:
        head = f"Authorization: Bearer {made['secret']}\r\nContent-Length: {len(body)}"
        client.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
        got = b""
        while b"Hell" not in got:
            got += client.recv(65536)
        assert use(desk, made)["under_way"] == 1
    left = eventually(lambda: (found := use(desk, made))["under_way"] == 0 and found)
    assert 9000 - 10 < left["tokens_left"] < 9000
    assert 0 < left["usd_today"] < 20e-6
    assert left["usd_reserved"] == 0


def test_an_answer_is_no_longer_than_the_limits_let_it_be(desk: Desk, upstream: Upstream) -> None:
    made = desk.make("short", limits={"answer_tokens": 7, "tokens_per_minute": 1000})
    asked = [(None, None), (5, None), (9, None), (None, 9), (9, 1), (-1, 1), (0, None)]
    for older, newer in asked:
        fields = {"max_tokens": older, "max_completion_tokens": newer}
        assert desk.chat(made["secret"], model="math", **fields).status_code == 200
    sent = [call.document for call in upstream.calls_of("math")]
    found = [(each["max_tokens"], each["max_completion_tokens"]) for each in sent]
    assert found == [(7, None), (5, None), (7, None), (None, 7), (7, 7), (7, 7), (7, None)]


def test_what_can_never_fit_is_told_so(desk: Desk) -> None:
    made = desk.make("never", limits={"tokens_per_minute": 100})
    answer = desk.chat(made["secret"], model="math")
    assert answer.status_code == 429
    assert "say less, or set max_tokens" in answer.json()["error"]["message"]
