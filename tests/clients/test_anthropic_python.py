"""Anthropic's official Python SDK works unchanged: it is routed like everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.support import answers
from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Script, Upstream, refusal, stream

ASKED: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL: Any = {"name": "weather", "description": "Tells it.", "input_schema": {"type": "object"}}


@pytest.fixture
def client(healthy: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=healthy.url, api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def test_plain(client: anthropic.Anthropic, healthy: Gateway) -> None:
    raw = client.messages.with_raw_response.create(model="auto", max_tokens=50, messages=ASKED)
    answer = raw.parse()
    (block,) = answer.content
    assert block.type == "text"
    assert block.text == f"Hello from {raw.headers['x-polyculture-model']}."
    assert answer.id == f"msg_{raw.headers['x-polyculture-decision-id']}"
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("end_turn", 10, 5)
    assert healthy.feedback({"completion_id": answer.id, "score": 1.0}).json()["status"] == "recorded"


def test_what_the_model_is_sent(client: anthropic.Anthropic, upstream: Upstream) -> None:
    client.messages.create(
        model="chat",
        max_tokens=50,
        system=[{"type": "text", "text": "Be brief."}],
        stop_sequences=["END"],
        metadata={"user_id": "ada"},
        messages=[
            *ASKED,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Sunny"}]},
        ],
    )
    sent = upstream.calls[-1].document
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        *ASKED,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "Sunny"},
    ]
    assert (sent["stop"], sent["user"], sent["max_tokens"]) == (["END"], "ada", 50)


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="chat", max_tokens=50, messages=ASKED) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == "Hello from chat."
    assert final.stop_reason == "end_turn"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (10, 5)


@pytest.mark.parametrize("streaming", [False, True])
def test_tools(client: anthropic.Anthropic, streaming: bool) -> None:
    asked: Any = {"model": "auto", "max_tokens": 50, "messages": ASKED, "tools": [TOOL], "tool_choice": {"type": "any"}}
    if streaming:
        with client.messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = client.messages.create(**asked)
    (block,) = answer.content
    assert block.type == "tool_use"
    assert (block.name, block.input) == ("weather", {"city": "Paris"})
    assert answer.stop_reason == "tool_use"


def test_words_before_a_tool_call_are_a_block_of_their_own(faulty: Gateway, upstream: Upstream) -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": '{"x": 1}'}}
    told = [
        answers.piece({"role": "assistant", "content": "Wait"}),
        answers.piece({"tool_calls": [call]}),
        answers.piece({"tool_calls": [more]}, finish="tool_calls"),
    ]
    upstream.scripts["scripted"] = Script(pieces=stream([b"data: %s\n\n" % answers.compact(each) for each in told]))
    with (
        anthropic.Anthropic(base_url=faulty.url, api_key=KEY, max_retries=0) as client,
        client.messages.stream(model="scripted", max_tokens=50, messages=ASKED) as events,
    ):
        words, used = events.get_final_message().content
    assert words.type == "text"
    assert words.text == "Wait"
    assert used.type == "tool_use"
    assert used.input == {"x": 1}


def test_counting(client: anthropic.Anthropic) -> None:
    assert 5 <= client.messages.count_tokens(model="auto", messages=ASKED).input_tokens <= 15
    assert client.messages.count_tokens(model="auto", messages=[{"role": "user", "content": "a"}]).input_tokens == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, anthropic.BadRequestError),
        (422, anthropic.UnprocessableEntityError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ],
)
def test_errors(faulty: Gateway, upstream: Upstream, status: int, expected: type[anthropic.APIStatusError]) -> None:
    upstream.scripts["scripted"] = refusal(status, "Because.")
    with (
        anthropic.Anthropic(base_url=faulty.url, api_key=KEY, max_retries=0) as client,
        pytest.raises(expected) as caught,
    ):
        client.messages.create(model="scripted", max_tokens=50, messages=ASKED)
    assert type(caught.value) is expected
    body: Any = caught.value.body
    assert body["type"] == "error"


def test_wrong_keys_and_faulty_fields(healthy: Gateway, client: anthropic.Anthropic) -> None:
    with (
        anthropic.Anthropic(base_url=healthy.url, api_key="none", max_retries=0) as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(model="auto", max_tokens=50, messages=ASKED)
    tools: Any = [{"type": "web_search_20250305", "name": "web_search"}]
    with pytest.raises(anthropic.BadRequestError, match="runs at its provider"):
        client.messages.create(model="auto", max_tokens=50, messages=ASKED, tools=tools)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        client.messages.create(model="auto", max_tokens=0, messages=ASKED)


def test_a_stream_that_breaks_off_ends_with_an_error(faulty: Gateway, upstream: Upstream) -> None:
    begun = b"data: %s\n\n" % answers.compact(answers.piece({"role": "assistant", "content": "Wai"}))
    upstream.scripts["scripted"] = Script(pieces=stream([begun], end=False), ending="reset")
    with (
        anthropic.Anthropic(base_url=faulty.url, api_key=KEY, max_retries=0) as client,
        pytest.raises(anthropic.APIStatusError, match="broke off"),
        client.messages.stream(model="scripted", max_tokens=50, messages=ASKED) as events,
    ):
        events.get_final_message()
