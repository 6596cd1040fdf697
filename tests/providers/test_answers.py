"""Models whose servers speak no OpenAI answer like any other: plain, streaming, with tools, in JSON, embeddings."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.providers.conftest import EMBEDDERS, MODELS
from tests.support.answers import vector
from tests.support.gateway import KEY, Gateway
from tests.support.providers import Providers

ASKED: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Paris?"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": CITY}}]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
SCHEMA_FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "Solution", "schema": SCHEMA}}

each_model = pytest.mark.parametrize("name", MODELS)


def served(name: str) -> str:
    """What the provider calls the model."""
    return MODELS[name][0].partition("/")[2]


@pytest.fixture(name="client", scope="module")
def official_client(provided: Gateway) -> Any:
    with openai.OpenAI(base_url=f"{provided.url}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


@each_model
def test_plain(client: openai.OpenAI, providers: Providers, name: str) -> None:
    raw = client.chat.completions.with_raw_response.create(model=name, messages=ASKED)
    answer = raw.parse()
    assert answer.choices[0].message.content == f"Hello from {served(name)}."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id == f"chatcmpl-{raw.headers['x-polyculture-decision-id']}"
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
    assert len(providers.calls) == 1


@each_model
def test_stream(client: openai.OpenAI, providers: Providers, name: str) -> None:
    events = list(client.chat.completions.create(model=name, messages=ASKED, stream=True))
    pieces = [event.choices[0].delta.content for event in events if event.choices]
    assert "".join(piece or "" for piece in pieces) == f"Hello from {served(name)}."
    assert len([piece for piece in pieces if piece]) > 1
    assert [event.choices[0].finish_reason for event in events if event.choices][-1] == "stop"
    assert len({event.id for event in events}) == 1
    assert len(providers.calls) == 1


@each_model
@pytest.mark.parametrize("streaming", [False, True])
def test_tools(client: openai.OpenAI, providers: Providers, name: str, streaming: bool) -> None:
    asked: Any = {"model": name, "messages": ASKED, "tools": TOOLS}
    if streaming:
        with client.chat.completions.stream(**asked) as events:
            for _ in events:
                pass
            answer = events.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Paris"})
    assert call.id
    assert answer.choices[0].finish_reason == "tool_calls"
    assert "Tells it." in providers.calls[-1].body.decode()


@each_model
def test_a_conversation_with_a_tools_result(client: openai.OpenAI, providers: Providers, name: str) -> None:
    call: Any = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    told: Any = [*ASKED, {"role": "assistant", "tool_calls": [call]}]
    told.append({"role": "tool", "tool_call_id": "c1", "content": "Sunny, 31 degrees"})
    answer = client.chat.completions.create(model=name, messages=told, tools=TOOLS)
    assert answer.choices[0].message.content == f"Hello from {served(name)}."
    assert "Sunny, 31 degrees" in providers.calls[-1].body.decode()


@each_model
def test_json_by_a_schema(client: openai.OpenAI, providers: Providers, name: str) -> None:
    answer = client.chat.completions.create(model=name, messages=ASKED, response_format=SCHEMA_FORMAT)
    assert json.loads(answer.choices[0].message.content or "") == {"answer": 42}
    assert '"answer"' in providers.calls[-1].body.decode()


@pytest.mark.parametrize("name", EMBEDDERS)
def test_embeddings(client: openai.OpenAI, name: str) -> None:
    answer = client.embeddings.create(model=name, input=["a", "b"], encoding_format="float")
    assert [each.embedding for each in answer.data] == [pytest.approx(vector("a")), pytest.approx(vector("b"))]


def test_an_image_goes_along(client: openai.OpenAI, providers: Providers) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}]
    client.chat.completions.create(model="claude", messages=asked)
    source = providers.calls[-1].document["messages"][0]["content"][1]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}


def test_they_are_routed_and_learned_about_like_any_other(provided: Gateway) -> None:
    answer = provided.chat("Hello", model="auto")
    assert answer.headers["x-polyculture-model"] in MODELS.keys() | {f"hasty-{name}" for name in MODELS}
    assert provided.feedback({"completion_id": answer.json()["id"], "score": 1.0}).json()["status"] == "recorded"


def test_other_dialects_reach_them_too(provided: Gateway) -> None:
    body = {"model": "gemini", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
    said = provided.client.post("/v1/messages", json=body).json()
    assert said["content"] == [{"type": "text", "text": f"Hello from {served('gemini')}."}]
