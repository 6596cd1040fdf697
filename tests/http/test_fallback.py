"""When a model fails before its first byte, another one answers, and everybody can see that."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from gateway.events import Answer, Decision, Feedback
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import Gateway, eventually, question
from tests.support.upstream import Script, Upstream, refusal, stream, whole

Start = Callable[..., Gateway]

PAIR = {"x-polyculture-tags": "pair"}

FAULTS = {
    "status 500": refusal(500),
    "status 503": refusal(503, retry_after="7"),
    "status 401": refusal(401),
    "status 404": refusal(404),
    "rate limit": refusal(429),
    "reset": Script(pieces=[], ending="reset"),
    "close": Script(pieces=[], ending="close"),
    "half a body": Script(pieces=[whole(b'{"choices": []}')[:-5]], ending="close"),
    "garbage": Script(pieces=[whole(b"<html>")]),
    "no completion": Script(pieces=[whole(b'{"hello": 1}')]),
    "an error with status 200": Script(pieces=[whole(b'{"error": {"message": "x"}, "choices": []}')]),
    "not HTTP": Script(pieces=[b"SSH-2.0-OpenSSH_9.6\r\n"], ending="close"),
}

STREAM_FAULTS = {
    "empty": Script(pieces=stream([])),
    "cut after the head": Script(pieces=stream([], end=False), ending="reset"),
    "JSON in place of a stream": Script(pieces=[whole(b'{"choices": []}')]),
    "a page": Script(pieces=[whole(b"<html>", kind="text/html")]),
    "an error as its first event": Script(pieces=stream([answers.event({"error": {"message": "x"}})])),
    "an error after comments": Script(pieces=stream([b": busy\n\n", answers.event({"error": {"message": "x"}})])),
    "nothing but comments": Script(pieces=stream([b": busy\n\n"] * 3)),
    "half an event": Script(pieces=stream([b"data: {"])),
    "an event without an end": Script(pieces=stream([b"data: ", *[b"x" * 1_000_000] * 9])),
}


def fallen_back(gateway: Gateway, upstream: Upstream, fault: Script, *, streaming: bool) -> httpx.Response:
    """Ask until the model with the fault was drawn; the other answers in its place."""
    for number in range(200):
        healthy, failing = ("first", "second") if number % 2 else ("second", "first")
        upstream.scripts = {}
        assert gateway.chat(model=failing).status_code == 200  # so that it does not rest
        upstream.scripts = {failing: fault}
        answer = gateway.chat(f"Question {number}", headers=PAIR, stream=streaming)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-polyculture-model"] == healthy
        if "x-polyculture-fallback-from" in answer.headers:
            assert answer.headers["x-polyculture-fallback-from"] == failing
            return answer
    raise AssertionError("the failing model was never drawn")


@pytest.mark.parametrize("name", FAULTS)
def test_another_model_answers(faulty: Gateway, upstream: Upstream, name: str) -> None:
    answer = fallen_back(faulty, upstream, FAULTS[name], streaming=False)
    model = answer.headers["x-polyculture-model"]
    assert answer.json()["choices"][0]["message"]["content"] == f"Hello from {model}."
    assert answer.json()["id"] == f"chatcmpl-{answer.headers['x-polyculture-decision-id']}"


@pytest.mark.parametrize("name", [*FAULTS, *STREAM_FAULTS])
def test_streams_fall_back_before_their_first_byte(faulty: Gateway, upstream: Upstream, name: str) -> None:
    answer = fallen_back(faulty, upstream, (FAULTS | STREAM_FAULTS)[name], streaming=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert "error" not in answer.text


def test_the_log_tells_chosen_failed_and_answered_apart(faulty: Gateway, upstream: Upstream) -> None:
    answer = fallen_back(faulty, upstream, refusal(500), streaming=False)
    name, model = answer.headers["x-polyculture-decision-id"], answer.headers["x-polyculture-model"]
    failing = answer.headers["x-polyculture-fallback-from"]
    (decision,) = faulty.events(Decision, about=name)
    (ended,) = faulty.events(Answer, about=name)  # durable before the answer, for feedback's sake
    (blame,) = eventually(lambda: faulty.events(Feedback, about=name))
    assert decision.chosen == failing
    assert (ended.answered, ended.failed, ended.status) == (model, [failing], 200)
    assert blame.lesson is not None
    assert (blame.lesson.arm, blame.reward) == (failing, 0.0)
    faulty.feedback({"decision_id": name, "score": 1.0})
    praise = faulty.events(Feedback, about=name)[-1]
    assert praise.lesson is not None
    assert (praise.lesson.arm, praise.reward) == (model, 1.0)


def test_when_all_fail_the_last_error_stands_and_each_is_blamed_once(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url), card("second", upstream.url)]})
    upstream.scripts = {"first": refusal(500), "second": refusal(500)}
    answer = gateway.chat()
    tried = [answer.headers["x-polyculture-fallback-from"], answer.headers["x-polyculture-model"]]
    assert answer.status_code == 502
    assert sorted(tried) == ["first", "second"]
    assert [call.document["model"] for call in upstream.calls] == [*tried, *tried]  # a second round, after a moment
    assert tried[1] in answer.json()["error"]["message"]
    name = answer.headers["x-polyculture-decision-id"]
    (ended,) = eventually(lambda: gateway.events(Answer, about=name))
    assert (ended.answered, ended.failed, ended.status) == (tried[1], tried[:1], 502)
    blames = eventually(lambda: len(found := gateway.events(Feedback, about=name)) == 2 and found)
    assert [blame.lesson.arm for blame in blames if blame.lesson] == tried


def test_a_clients_own_fault_is_not_tried_elsewhere(faulty: Gateway, upstream: Upstream) -> None:
    upstream.scripts = {"first": refusal(400, "Bad seed."), "second": refusal(400, "Bad seed.")}
    answer = faulty.chat(headers=PAIR)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Bad seed."
    assert answer.json()["error"]["param"] == "seed"
    assert len(upstream.calls) == 1
    name = answer.headers["x-polyculture-decision-id"]
    (ended,) = eventually(lambda: faulty.events(Answer, about=name))
    assert (ended.status, ended.failed) == (400, [])
    assert not faulty.events(Feedback, about=name)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_forced_model_has_no_fallback(faulty: Gateway, upstream: Upstream, streaming: bool) -> None:
    upstream.scripts = {"first": refusal(500)}
    answer = faulty.chat(model="first", stream=streaming)
    assert answer.status_code == 502
    assert answer.headers["x-polyculture-reason"] == "forced"
    assert "x-polyculture-fallback-from" not in answer.headers
    assert {call.document["model"] for call in upstream.calls} == {"first"}


def test_resting_models_are_left_out_and_tried_again_later(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url), card("second", upstream.url)]})
    upstream.scripts = {"first": refusal(500)}
    for _ in range(2):  # each asks twice
        assert gateway.chat(model="first").status_code == 502
    shown = gateway.route()
    assert shown["excluded"] == {"first": "resting after failures"}
    upstream.scripts = {"first": refusal(500), "second": refusal(500)}
    for _ in range(2):
        gateway.chat(model="second")
    answer = gateway.chat()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert gateway.client.get("/readyz").status_code == 503
    upstream.scripts = {}
    eventually(lambda: gateway.chat().status_code == 200)
    assert gateway.client.get("/readyz").json()["status"] == "ready"


def test_fallbacks_are_counted(faulty: Gateway, upstream: Upstream) -> None:
    def figures() -> tuple[float, float]:
        return faulty.metric("polyculture_fallbacks_total"), faulty.metric("polyculture_upstream_failures_total")

    before = figures()
    fallen_back(faulty, upstream, refusal(500), streaming=False)
    after = figures()
    assert after[0] - before[0] == after[1] - before[1] == 1
    assert answers.UPSTREAM_ID not in faulty.client.post("/v1/chat/completions", json=question("Hi")).text
