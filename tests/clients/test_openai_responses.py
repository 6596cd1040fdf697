"""The official Python SDK's other ways of asking: responses and text completions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.support import answers
from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Script, Upstream, stream

TOOL: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}


class Solution(BaseModel):
    answer: int


@pytest.fixture
def client(healthy: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{healthy.url}/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def test_plain(client: openai.OpenAI, healthy: Gateway) -> None:
    raw = client.responses.with_raw_response.create(model="auto", input="Hi", instructions="Be brief.")
    answer = raw.parse()
    assert answer.output_text == f"Hello from {raw.headers['x-polyculture-model']}."
    assert answer.id == f"resp_{raw.headers['x-polyculture-decision-id']}"
    assert (answer.status, answer.instructions) == ("completed", "Be brief.")
    assert answer.usage
    assert answer.usage.total_tokens == 15
    assert healthy.feedback({"completion_id": answer.id, "thumb": "up"}).json()["status"] == "recorded"


def test_what_the_model_is_sent(client: openai.OpenAI, upstream: Upstream) -> None:
    client.responses.create(
        model="chat",
        max_output_tokens=20,
        reasoning={"effort": "low"},
        input=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Sunny"},
        ],
    )
    sent = upstream.calls[-1].document
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
    ]
    assert (sent["max_tokens"], sent["reasoning_effort"]) == (20, "low")


def test_what_was_asked_is_said_again(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="chat", input="Hi", temperature=0, parallel_tool_calls=False, top_p=0.5)
    assert (answer.temperature, answer.parallel_tool_calls, answer.top_p, answer.tool_choice) == (0, False, 0.5, "auto")


def test_audio_is_passed_on(client: openai.OpenAI, upstream: Upstream) -> None:
    heard: Any = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    client.responses.create(model="chat", input=[{"role": "user", "content": [heard]}])
    assert upstream.calls[-1].document["messages"] == [{"role": "user", "content": [heard]}]


def test_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model="chat", input="Hi") as events:
        kinds = [event.type for event in events]
        final = events.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert "response.output_text.delta" in kinds
    assert kinds[-1] == "response.completed"
    assert final.output_text == "Hello from chat."
    assert final.usage
    assert final.usage.input_tokens == 10


@pytest.mark.parametrize("streaming", [False, True])
def test_tools(client: openai.OpenAI, streaming: bool) -> None:
    asked: Any = {"model": "auto", "input": "Weather in Paris?", "tools": [TOOL], "tool_choice": "required"}
    if streaming:
        with client.responses.stream(**asked) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(**asked)
    (call,) = answer.output
    assert (call.type, call.name, call.arguments) == ("function_call", "weather", '{"city": "Paris"}')


def test_parse(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.responses.parse(model="auto", input="6 * 7?", text_format=Solution)
    assert answer.output_parsed == Solution(answer=42)
    assert upstream.calls[-1].document["response_format"]["json_schema"]["name"] == "Solution"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": []}, "input"),
    ],
)
def test_what_is_not_possible_is_said(client: openai.OpenAI, fields: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": "auto", "input": "Hi", **fields})
    assert caught.value.param == param


def test_an_answer_cut_short_is_incomplete(faulty: Gateway, upstream: Upstream) -> None:
    told = answers.piece({"role": "assistant", "content": "Half"}, finish="length")
    upstream.scripts["scripted"] = Script(pieces=stream([b"data: %s\n\n" % answers.compact(told)]))
    with openai.OpenAI(base_url=f"{faulty.url}/v1", api_key=KEY, max_retries=0) as client:
        events = list(client.responses.create(model="scripted", input="Hi", stream=True))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"


def test_a_stream_that_breaks_off_ends_with_an_error(faulty: Gateway, upstream: Upstream) -> None:
    begun = b"data: %s\n\n" % answers.compact(answers.piece({"role": "assistant", "content": "Wai"}))
    upstream.scripts["scripted"] = Script(pieces=stream([begun], end=False), ending="reset")
    with (
        openai.OpenAI(base_url=f"{faulty.url}/v1", api_key=KEY, max_retries=0) as client,
        pytest.raises(openai.APIError, match="broke off"),
    ):
        list(client.responses.create(model="scripted", input="Hi", stream=True))


def test_text_completions(client: openai.OpenAI, upstream: Upstream) -> None:
    raw = client.completions.with_raw_response.create(model="auto", prompt="Say hello.", max_tokens=20, n=2)
    answer = raw.parse()
    assert [choice.text for choice in answer.choices] == [f"Hello from {raw.headers['x-polyculture-model']}."] * 2
    assert answer.id == f"cmpl-{raw.headers['x-polyculture-decision-id']}"
    assert upstream.calls[-1].document["messages"] == [{"role": "user", "content": "Say hello."}]


def test_text_completions_stream(client: openai.OpenAI) -> None:
    events = list(client.completions.create(model="chat", prompt=["Say hello."], stream=True))
    assert "".join(event.choices[0].text for event in events if event.choices) == "Hello from chat."


@pytest.mark.parametrize("fields", [{"suffix": "x"}, {"echo": True}, {"best_of": 3}, {"prompt": ["a", "b"]}])
def test_what_a_chat_model_cannot_do_is_said(client: openai.OpenAI, fields: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(**{"model": "auto", "prompt": "Hi", **fields})
    assert caught.value.param == next(iter(fields))
