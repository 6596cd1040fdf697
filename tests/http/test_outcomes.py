"""Implicit outcomes: what an answer's form alone says of its quality."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gateway.events import Feedback
from gateway.outcomes import WEIGHT
from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import Gateway, eventually
from tests.support.upstream import Script, Upstream, refusal, stream, whole

JSON = {"response_format": {"type": "json_object"}}
TOOLS = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}


def choice(content: Any, *, number: int = 0, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {"index": number, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}


def calling(arguments: Any) -> dict[str, Any]:
    return choice(None, tool_calls=[{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}])


def said(*choices: dict[str, Any]) -> Script:
    return Script(pieces=[whole(answers.compact({"choices": choices}))])


def streamed(*choices: dict[str, Any]) -> Script:
    """The same, letter by letter, the choices interleaved."""
    rounds = itertools.zip_longest(*map(deltas, choices))
    events = [answers.event({"choices": [delta]}) for each in rounds for delta in each if delta is not None]
    return Script(pieces=stream([*events, b"data: [DONE]\n\n"]))


def deltas(choice: dict[str, Any]) -> list[dict[str, Any]]:
    message = choice["message"]
    found: list[dict[str, Any]] = [{"content": part} for part in message["content"] or ""]
    for call in message.get("tool_calls", []):
        calls = [{"index": 0, "function": {"arguments": part}} for part in ("", *call["function"]["arguments"])]
        found += [{"tool_calls": [call]} for call in calls]
    last = {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
    return [*({"index": choice["index"], "delta": delta} for delta in found), last]


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str | None]] = {
    "sound": ([choice("Hello.")], {}, None),
    "no choices": ([], {}, "empty"),
    "no text": ([choice("")], {}, "empty"),
    "null text": ([choice(None)], {}, "empty"),
    "a refusal is an answer": ([choice(None, refusal="I will not.")], {}, None),
    "cut by the model's own limit": ([choice("Hel", finish="length")], {}, "truncated"),
    "cut as asked": ([choice("Hel", finish="length")], {"max_tokens": 1}, None),
    "sound JSON": ([choice('{"a": 1}')], JSON, None),
    "broken JSON": ([choice('{"a": 1')], JSON, "broken_json"),
    "JSON with a fence": ([choice('```json\n{"a": 1}\n```')], JSON, "broken_json"),
    "text where no JSON was asked for": ([choice('{"a": 1')], {}, None),
    "two sound answers in JSON": ([choice("{}", number=0), choice("{}", number=1)], {**JSON, "n": 2}, None),
    "one of two broken": ([choice("{}", number=0), choice("{", number=1)], {**JSON, "n": 2}, "broken_json"),
    "a sound call": ([calling('{"a": 1}')], TOOLS, None),
    "a call without arguments": ([calling("")], TOOLS, None),
    "a broken call": ([calling('{"a": ')], TOOLS, "invalid_tool_call"),
    "too long to check": ([choice("{" * 250_000)], JSON, None),
}


@pytest.fixture
def gateway(start: Start, upstream: Upstream) -> Gateway:
    only = card("only", upstream.url, tools=True, json_mode=True)
    return start({"models": [only], "routing": {"latency_objective_s": 2.0}})


def outcome(gateway: Gateway, **fields: Any) -> str | None:
    """The implicit outcome of one request, by the log."""
    answer = gateway.chat(**fields)
    name = answer.headers["x-polyculture-decision-id"]
    gateway.feedback({"decision_id": name, "score": 1})  # behind whatever came before it in the log
    found = [each for each in gateway.records(Feedback, about=name) if (each.source or "").startswith("implicit:")]
    for each in found:
        assert isinstance(each.event, Feedback)
        assert each.event.lesson is not None
        assert (each.event.reward, each.event.weight, each.event.lesson.arm) == (0.0, WEIGHT, "only")
    kinds = [(each.source or "").split(":")[1] for each in found]
    assert len(kinds) <= 1
    return kinds[0] if kinds else None


def test_the_form_of_an_answer_is_judged(gateway: Gateway, upstream: Upstream) -> None:
    for name, (choices, fields, expected) in CASES.items():
        upstream.scripts["only"] = said(*choices)
        assert (name, outcome(gateway, **fields)) == (name, expected)
        if name not in {"no choices", "a refusal is an answer", "too long to check"}:
            upstream.scripts["only"] = streamed(*choices)
            assert (name, outcome(gateway, stream=True, **fields)) == (name, expected)


def test_failures_and_lateness_are_outcomes_and_the_clients_own_faults_are_not(
    gateway: Gateway, upstream: Upstream
) -> None:
    for script, expected in (
        (refusal(500), "error"),
        (refusal(429), "error"),
        (refusal(400), None),
        (Script(pieces=stream([answers.event(answers.piece({"content": "x"}))], end=False), ending="reset"), "error"),
    ):
        upstream.scripts["only"] = script
        assert outcome(gateway, stream=True) == expected
        eventually(lambda: gateway.client.get("/readyz").status_code == 200)
    upstream.scripts["only"] = Script(pieces=[whole(answers.completion({"model": "only"}))], delay_s=2.2)
    assert outcome(gateway) == "slow"
    counted = {kind: gateway.metric("polyculture_implicit_outcomes_total", kind=kind) for kind in ("error", "slow")}
    assert counted == {"error": 3, "slow": 1}
