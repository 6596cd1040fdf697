"""The language model: its parameters, its errors, its concurrency."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai import OpenAI


@pytest.fixture
def general(connect: Callable[[str], OpenAI]) -> OpenAI:
    return connect("general")


def chat(client: OpenAI, prompt: str, **parameters: Any) -> Any:
    messages: list[Any] = [{"role": "user", "content": prompt}]
    return client.chat.completions.create(model="general", messages=messages, **parameters)


def test_a_seed_repeats_an_answer(general: OpenAI) -> None:
    hot = {"temperature": 1.5, "seed": 7, "max_tokens": 12}
    first, second = (chat(general, "Name an animal.", **hot).choices[0].message.content for _ in range(2))
    assert first == second


def test_choices_of_a_seeded_request_differ(general: OpenAI) -> None:
    answer = chat(general, "Tell me a story.", temperature=2.0, seed=1, n=2, max_tokens=12)
    assert len({choice.message.content for choice in answer.choices}) == 2
    assert answer.usage.completion_tokens > 12


def test_stop_and_max_tokens_are_the_engines(general: OpenAI) -> None:
    prompt = "Count: one, two, three, four, five. Repeat that."
    bounded: dict[str, Any] = {"max_tokens": 6, "temperature": 0, "seed": 1}
    cut = chat(general, prompt, **bounded)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 6)
    word = cut.choices[0].message.content.split()[0]
    stopped = chat(general, prompt, **bounded, stop=word)
    assert word not in stopped.choices[0].message.content
    assert stopped.choices[0].finish_reason == "stop"


def test_json_mode_gives_json(general: OpenAI) -> None:
    shape = {
        "type": "object",
        "properties": {"age": {"type": "integer"}},
        "required": ["age"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "cat", "schema": shape}}
    answer = chat(general, "How old is my cat? She is 3.", response_format=wanted, max_tokens=30)
    assert isinstance(json.loads(answer.choices[0].message.content)["age"], int)


def test_earlier_messages_are_read(general: OpenAI) -> None:
    earlier: list[Any] = [
        {"role": "developer", "content": "You are a helpful assistant."},
        {"role": "user", "content": "My dog is called Barnaby."},
        {"role": "assistant", "content": [{"type": "text", "text": "Barnaby is a lovely name for a dog."}]},
    ]
    question: list[Any] = [{"role": "user", "content": "What is my dog called?"}]
    alone, whole = (
        general.chat.completions.create(model="general", messages=messages, max_tokens=1).usage
        for messages in (question, earlier + question)
    )
    assert alone is not None
    assert whole is not None
    assert whole.prompt_tokens > alone.prompt_tokens + 15


def test_too_long_a_conversation_is_refused(general: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(general, "word " * 3000)
    assert caught.value.code == "context_length_exceeded"


def test_more_conversations_than_slots_are_answered(general: OpenAI) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: chat(general, f"Say the word number {n}.", max_tokens=4), range(5)))
    assert all(answer.choices[0].message.content for answer in answers)
