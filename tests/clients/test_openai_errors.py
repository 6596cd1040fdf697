"""Each exception class of the official Python SDK is raised by the fault that it stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support import answers
from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Script, Upstream, refusal, stream

MESSAGES: Any = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(faulty: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{faulty.url}/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def ask(client: openai.OpenAI, model: str = "scripted", **fields: Any) -> Any:
    return client.chat.completions.create(model=model, messages=fields.pop("messages", MESSAGES), **fields)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, openai.BadRequestError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (504, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
def test_what_the_upstream_says(
    client: openai.OpenAI, upstream: Upstream, status: int, expected: type[openai.APIStatusError], streaming: bool
) -> None:
    upstream.scripts["scripted"] = refusal(status, "Because.")
    with pytest.raises(expected) as caught:
        ask(client, stream=streaming)
    assert type(caught.value) is expected
    assert caught.value.status_code == {500: 502}.get(status, status)
    if status in {400, 409, 422}:
        assert "Because." in caught.value.message
        assert (caught.value.param, caught.value.code) == ("seed", "upstream_refused")


def test_bad_requests(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, messages=[])
    assert (caught.value.param, caught.value.type) == ("messages", "invalid_request_error")


def test_wrong_keys(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(client.with_options(api_key="pc-wrong"))
    assert caught.value.code == "invalid_api_key"


def test_forbidden_actions(client: openai.OpenAI, faulty: Gateway) -> None:
    administration = client.with_options(base_url=f"{faulty.url}/admin/v1")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        administration.post("/router/freeze", cast_to=object)
    assert caught.value.type == "permission_error"


def test_unknown_models(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "none")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


def test_rate_limits_are_waited_for_and_tried_again(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.scripts["scripted"] = refusal(429, retry_after="1")
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client)
    assert caught.value.response.headers["retry-after"] == "1"
    with pytest.raises(openai.RateLimitError):
        ask(client.with_options(max_retries=1))
    assert len(upstream.calls) == 3


def test_the_clients_own_timeout(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.scripts["scripted"] = Script(pieces=[], ending="hang")
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.3))
    assert upstream.wait_for_call("scripted").gone.wait(10)


def test_no_gateway_there() -> None:
    with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key=KEY, max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError) as caught:
            ask(client)
        assert type(caught.value) is openai.APIConnectionError


BROKEN = Script(pieces=stream(answers.events({"model": "scripted"})[:3], end=False), ending="reset")


def test_an_error_in_the_middle_of_a_stream(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.scripts["scripted"] = BROKEN
    events = ask(client, stream=True)
    assert [next(events).choices[0].delta.content for _ in range(2)] == ["", "Hell"]
    with pytest.raises(openai.APIError, match="broke off in the middle") as caught:
        next(events)
    assert type(caught.value) is openai.APIError
    assert caught.value.code == "upstream_failed"


async def errors_asynchronously(url: str) -> list[str]:
    names = []
    async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
        for model, streaming in (("none", False), ("scripted", False), ("scripted", True)):
            try:
                answer: Any = await client.chat.completions.create(model=model, messages=MESSAGES, stream=streaming)
                async for _ in answer:
                    pass
            except openai.OpenAIError as error:
                names.append(type(error).__name__)
    return names


def test_asynchronously(faulty: Gateway, upstream: Upstream) -> None:
    upstream.scripts["scripted"] = BROKEN
    names = asyncio.run(errors_asynchronously(f"{faulty.url}/v1"))
    assert names == ["NotFoundError", "InternalServerError", "APIError"]
