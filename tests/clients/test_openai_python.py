"""The official Python SDK works unchanged, one call after another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import openai
import pytest
from pydantic import BaseModel

from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Upstream


class Solution(BaseModel):
    answer: int


@pytest.fixture
def client(healthy: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{healthy.url}/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def test_plain(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=[{"role": "user", "content": "Hi"}])
    answer = raw.parse()
    assert answer.choices[0].message.content == f"Hello from {raw.headers['x-polyculture-model']}."
    assert answer.id == f"chatcmpl-{raw.headers['x-polyculture-decision-id']}"
    assert answer.usage
    assert answer.usage.total_tokens == 15


def test_stream(client: openai.OpenAI) -> None:
    events = client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": "Hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    found = list(events)
    text = "".join(event.choices[0].delta.content or "" for event in found if event.choices)
    assert text == "Hello from chat."
    assert len({event.id for event in found}) == 1
    assert found[-1].usage
    assert found[-1].usage.total_tokens == 15


def test_the_streams_helper_collects(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="chat", messages=[{"role": "user", "content": "Hi"}]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in kinds
    assert final.choices[0].message.content == "Hello from chat."


def test_tools(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Paris"}')


def test_parse(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.chat.completions.parse(
        model="auto", messages=[{"role": "user", "content": "6 * 7?"}], response_format=Solution
    )
    assert answer.choices[0].message.parsed == Solution(answer=42)
    schema = upstream.calls[0].document["response_format"]["json_schema"]
    assert schema["name"] == "Solution"


def test_several_choices(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hi"}], n=3, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_embeddings(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="auto", input=["a", "b"], encoding_format="float")
    assert [len(each.embedding) for each in answer.data] == [16, 16]


def test_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"auto", "auto:cheap", "math"} <= set(names)
    assert client.models.retrieve("math").id == "math"
    assert client.models.retrieve("auto").owned_by == "polyculture"


def test_feedback_needs_nothing_but_the_answers_id(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hi"}])
    taken = client.post("/feedback", cast_to=object, body={"completion_id": answer.id, "thumb": "up"})
    assert isinstance(taken, dict)
    assert taken["status"] == "recorded"


async def ask_asynchronously(url: str) -> tuple[str | None, str, int]:
    async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
        plain = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hi"}])
        stream = await client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        text = "".join([event.choices[0].delta.content or "" async for event in stream])
        vectors = await client.embeddings.create(model="embed", input="a", encoding_format="float")
        return plain.choices[0].message.content, text, len(vectors.data)


def test_asynchronously(healthy: Gateway) -> None:
    assert asyncio.run(ask_asynchronously(f"{healthy.url}/v1")) == ("Hello from chat.", "Hello from chat.", 1)
