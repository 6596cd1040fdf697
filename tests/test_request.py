"""Laws of reading: what routing learns of a request, and that passing it on changes the model alone."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest
from gateway.request import SHORT_MESSAGE, TEXT_LIMIT, Reading, read_chat, read_embeddings, with_model

USER = {"role": "user", "content": "Hi"}


def reading(messages: list[Any] | None = None, **fields: Any) -> Reading:
    return read_chat(json.dumps({"messages": messages or [USER], **fields}).encode())


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {"model": "auto", "stream": False, "tools": False, "json_mode": False, "bounded": False}),
        ({"model": "m", "stream": True}, {"model": "m", "stream": True}),
        ({"tools": [{"any": 1}]}, {"tools": True}),
        ({"tools": []}, {"tools": False}),
        ({"response_format": {"type": "text"}}, {"json_mode": False}),
        ({"response_format": {"type": "json_object"}}, {"json_mode": True}),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, {"json_mode": True}),
        ({"max_tokens": 50}, {"bounded": True, "tokens": 50}),
        ({"max_tokens": 5, "max_completion_tokens": 70}, {"bounded": True, "tokens": 70}),
        ({"max_tokens": 90, "max_completion_tokens": 1}, {"bounded": True, "tokens": 90}),
        ({"max_tokens": -1, "max_completion_tokens": 1}, {"bounded": False, "tokens": 0}),
        ({"max_tokens": 0}, {"bounded": False, "tokens": 0}),
        ({"stream": None, "tools": None, "max_tokens": None, "response_format": None}, {"stream": False}),
    ],
)
def test_fields_that_are_read(fields: dict[str, Any], found: dict[str, Any]) -> None:
    got = reading(**fields)
    assert {name: getattr(got, name) for name in found} == found
    assert got.endpoint == "chat"


def test_contents_are_told_by_their_parts() -> None:
    parts = [{"type": "text", "text": "What is"}, {"type": "image_url", "image_url": {"url": "x"}}, {"text": "this?"}]
    got = reading([user(parts), user([{"type": "input_audio", "input_audio": {}}])])
    assert (got.images, got.audio, got.turns) == (True, True, 2)
    assert "What is\nthis?" in got.text


def test_tools_and_their_calls_take_room_in_the_window() -> None:
    plain = reading([user("x" * 350)]).prompt_tokens
    assert plain == 100
    assert reading([user("x" * 350)], tools=[{"type": "function", "function": "y" * 700}]).prompt_tokens > plain + 200
    called = {"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "z" * 350}}]}
    assert reading([user("x" * 350), called]).prompt_tokens > plain + 100


def test_a_short_last_message_is_read_with_those_before_it() -> None:
    long = "word " * 40
    assert (
        reading([user(long), {"role": "assistant", "content": "Done."}, user("commit it")]).text == f"commit it\n{long}"
    )
    assert reading([user("before"), user("x" * SHORT_MESSAGE)]).text == "x" * SHORT_MESSAGE
    assert reading([{"role": "system", "content": "Only this."}]).text == "Only this."


@given(st.integers(0, 3 * TEXT_LIMIT))
def test_long_texts_keep_their_head_and_tail(length: int) -> None:
    text = "".join(chr(ord("a") + place % 26) for place in range(length)) or "a"
    found = reading([user(text)]).text
    assert len(found) <= TEXT_LIMIT + 1
    assert found[:1000] == text[:1000]
    assert found[-1000:] == text[-1000:]


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6))
def test_more_text_never_means_fewer_tokens(texts: list[str]) -> None:
    counts = [reading([user(text) for text in texts[: end + 1]]).tokens for end in range(len(texts))]
    assert counts == sorted(counts)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3))


@given(st.dictionaries(st.text(), values, max_size=6), st.text(min_size=1))
def test_the_model_is_all_that_changes(fields: dict[str, Any], name: str) -> None:
    body = json.dumps({**fields, "model": "auto"}).encode()
    assert json.loads(with_model(body, name)) == {**fields, "model": name}


@pytest.mark.parametrize(
    "number", [b"1.0", b"1e2", b"-0", b"0.10000000000000000001", b"123456789012345678901234567890"]
)
def test_numbers_keep_their_digits(number: bytes) -> None:
    assert b':%s,"model":"m"' % number in with_model(b'{"temperature": %s}' % number, "m")


@pytest.mark.parametrize(
    ("body", "texts"),
    [({"input": "a"}, "a"), ({"input": ["a", "b"]}, "a"), ({"input": [1, 2]}, ""), ({"input": [[1], [2]]}, "")],
)
def test_embeddings_take_texts_and_tokens(body: dict[str, Any], texts: str) -> None:
    got = read_embeddings(json.dumps(body).encode())
    assert (got.endpoint, got.text, got.stream) == ("embeddings", texts, False)


@given(st.binary(max_size=60))
def test_anything_else_is_a_bad_request(body: bytes) -> None:
    for read in (read_chat, read_embeddings):
        with suppress(BadRequest):
            assert isinstance(read(body), Reading)
