"""The server that all specialists share, over HTTP: the protocol, its limits and its errors."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import anyio
import anyio.to_thread
import httpx
import openai
import pytest
from openai import OpenAI

from gateway.config import ModelCard
from gateway.specialists.protocol import Delta, Message, Parameters
from gateway.specialists.server import Server

Connect = Callable[[str], OpenAI]
REVIEW: list[Any] = [{"role": "user", "content": "Review: lovely and wonderful."}]


@pytest.fixture
def sentiment(connect: Connect) -> OpenAI:
    return connect("sentiment")


@pytest.fixture
def http(cards: dict[str, ModelCard]) -> Any:
    base = str(cards["sentiment"].upstream.base_url).removesuffix("/v1")
    with httpx.Client(base_url=base, trust_env=False, timeout=30) as client:
        yield client


def test_it_lists_its_one_model_and_its_health(sentiment: OpenAI, http: httpx.Client) -> None:
    assert [model.id for model in sentiment.models.list()] == ["sentiment"]
    assert sentiment.models.retrieve("sentiment").owned_by == "polyculture"
    assert http.get("/healthz").json() == {"status": "ok", "model": "sentiment"}


def test_every_completion_has_an_id_of_its_own(sentiment: OpenAI) -> None:
    ids = {sentiment.chat.completions.create(model="sentiment", messages=REVIEW).id for _ in range(5)}
    assert len(ids) == 5


def test_the_last_user_message_counts_and_parts_are_joined(sentiment: OpenAI) -> None:
    answer = sentiment.chat.completions.create(
        model="sentiment",
        messages=[
            {"role": "system", "content": "You hate everything."},
            {"role": "user", "content": "Review: awful."},
            {"role": "assistant", "content": "negative"},
            {"role": "user", "content": [{"type": "text", "text": "Review:"}, {"type": "text", "text": "Superb!"}]},
        ],
    )
    assert (answer.choices[0].message.content or "").startswith("positive")


@pytest.mark.parametrize("stream", [False, True])
def test_it_gives_n_choices(sentiment: OpenAI, stream: bool) -> None:
    if stream:
        chunks = sentiment.chat.completions.create(model="sentiment", messages=REVIEW, n=3, stream=True)
        texts = ["", "", ""]
        for chunk in chunks:
            texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    else:
        whole = sentiment.chat.completions.create(model="sentiment", messages=REVIEW, n=3)
        texts = [choice.message.content or "" for choice in whole.choices]
        assert [choice.index for choice in whole.choices] == [0, 1, 2]
    assert len(texts) == 3
    assert all(text.startswith("positive") for text in texts)


def test_stop_sequences_and_max_tokens_cut_the_answer(sentiment: OpenAI) -> None:
    stopped = sentiment.chat.completions.create(model="sentiment", messages=REVIEW, stop=["nowhere", " (score"])
    assert (stopped.choices[0].message.content, stopped.choices[0].finish_reason) == ("positive", "stop")
    cut = sentiment.chat.completions.create(model="sentiment", messages=REVIEW, max_completion_tokens=1)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "alone"}]}, "messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "messages[0].role"),
        ({"messages": "text"}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 5000}]}, "messages"),
        ({"temperature": 9}, "temperature"),
        ({"n": 0}, "n"),
        ({"n": 99}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stop": [1]}, "stop[0]"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
def test_a_faulty_request_is_told_which_field(change: dict[str, Any], param: str, sentiment: OpenAI) -> None:
    request: dict[str, Any] = {"messages": REVIEW, **change}
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            sentiment.chat.completions.create(model="sentiment", stream=stream, **request)
        assert caught.value.param == param
        assert caught.value.type == "invalid_request_error"


def test_other_models_paths_and_methods_are_refused_in_the_same_shape(sentiment: OpenAI, http: httpx.Client) -> None:
    with pytest.raises(openai.NotFoundError, match="sentiment"):
        sentiment.chat.completions.create(model="other", messages=REVIEW)
    for response, status in ((http.get("/nowhere"), 404), (http.get("/v1/chat/completions"), 405)):
        assert response.status_code == status
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"model": 1}', b"{}" * 2, b"[" * 5000]
)
def test_a_body_that_is_no_request_is_a_bad_request(body: bytes, http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_huge_body_is_refused(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", content=b" " * (2 << 20))
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "body_too_large"


def test_a_client_that_leaves_frees_the_language_model(cards: dict[str, ModelCard], connect: Connect) -> None:
    url = httpx.URL(str(cards["general"].upstream.base_url))
    client = connect("general")
    started = client.models.retrieve("general").created
    story = [{"role": "user", "content": "Write a very long story about the sea."}]
    for stream in (True, False, True, False):
        body = json.dumps({"model": "general", "messages": story, "max_tokens": 1900, "stream": stream}).encode()
        with socket.create_connection((url.host, url.port or 0)) as connection:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            if stream:
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
            else:
                time.sleep(0.2)
    hello: list[Any] = [{"role": "user", "content": "Say hello."}]
    answer = client.chat.completions.create(model="general", messages=hello, max_tokens=3, timeout=20)
    assert answer.choices[0].message.content
    assert client.models.retrieve("general").created == started, "the process died of it and was started again"


class Slow:
    """A specialist whose tokens take time; it notes when an answer of its own begins, and when it is over."""

    parallel = 1

    def __init__(self) -> None:
        self.begun = Event()
        self.closed = 0

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> Iterator[Delta]:
        self.begun.set()
        try:
            while True:
                time.sleep(0.1)
                yield Delta(text="x")
        finally:
            self.closed += 1


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_given_up_is_over_before_its_slot_is_free(stream: bool) -> None:
    slow = Slow()
    application = Server(name="slow", specialist=slow, clock=time.time, new_id=lambda: "1").application()
    body = json.dumps({"model": "slow", "messages": REVIEW, "stream": stream}).encode()
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        for message in sent:
            return message
        await anyio.to_thread.run_sync(slow.begun.wait)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    head = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"", "headers": []}
    await application(head, receive, send)
    assert slow.closed == 1


def test_concurrent_requests_are_all_answered(connect: Connect) -> None:
    def add(number: int) -> str | None:
        messages: list[Any] = [{"role": "user", "content": f"{number} + 1"}]
        return (
            connect("mathematics")
            .chat.completions.create(model="mathematics", messages=messages)
            .choices[0]
            .message.content
        )

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(add, range(48))) == [str(number + 1) for number in range(48)]
