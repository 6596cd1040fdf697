"""Nothing but ``id`` is touched, on the way in and on the way out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support import answers
from tests.support.gateway import KEY, Gateway, question
from tests.support.upstream import Script, Upstream, stream, whole

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}}]


def renamed(sent: bytes, answer: httpx.Response) -> bytes:
    """What the upstream sent, with the decision's id in place of its own."""
    name = f'{{"id":"chatcmpl-{answer.headers["x-polyculture-decision-id"]}"'.encode()
    return sent.replace(b'{ "id": "upstream-0"', name).replace(b'{"id": "upstream-0"', name)


def play(upstream: Upstream, *pieces: bytes, **options: Any) -> None:
    upstream.scripts["scripted"] = Script(pieces=pieces, **options)


def test_a_body_passes_untouched_but_for_its_id(healthy: Gateway, upstream: Upstream) -> None:
    answer = healthy.chat(model="chat")
    sent = answers.completion(upstream.calls[0].document)
    assert b"1.70e9" in answer.content
    assert answer.content == renamed(sent, answer)


def test_every_event_passes_untouched_but_for_its_id(healthy: Gateway, upstream: Upstream) -> None:
    answer = healthy.chat(model="chat", stream=True, stream_options={"include_usage": True})
    sent = answers.events(upstream.calls[0].document)
    assert len(sent) > 6
    assert answer.content == renamed(b"".join(sent), answer)


def test_fields_that_are_not_read_are_relayed(healthy: Gateway, upstream: Upstream) -> None:
    body = (
        b'{"x_unknown": {"deep": [1.50, 1e2, "\\u00e9\\ud83d\\ude00", null]}, "seed" : 18446744073709551616,'
        b'"temperature":0.70, "logit_bias": {"50256": -100}, "metadata": {"a": "b"}, "model":"chat",'
        b'"messages": [{"role": "user", "content": "Hi", "name": "me", "x": [true]}], "user": "\xc3\xa9"}'
    )
    assert healthy.client.post("/v1/chat/completions", content=body).status_code == 200
    got = upstream.calls[0].body
    assert json.loads(got) == {**json.loads(body), "model": "chat"}
    for kept in (b"1.50, 1e2", b'"\\u00e9\\ud83d\\ude00"', b"18446744073709551616", b"0.70", b'"\xc3\xa9"'):
        assert kept in got


def test_only_the_upstreams_own_headers_are_sent(healthy: Gateway, upstream: Upstream) -> None:
    headers = {"x-secret": "mine", "cookie": "a=b", "openai-organization": "org", "accept-encoding": "br"}
    assert healthy.chat(model="chat", headers=headers).status_code == 200
    head = upstream.calls[0].head.decode().lower()
    assert KEY not in head
    for name in headers:
        assert f"{name}:" not in head
    assert upstream.calls[0].header("content-type") == "application/json"


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 3},
        {"seed": 7, "temperature": 0, "top_p": 0.5, "stop": ["\n"], "logprobs": True},
        {"tools": TOOLS, "tool_choice": "auto", "parallel_tool_calls": False},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}}},
        {"max_completion_tokens": 50, "reasoning_effort": "low", "store": False, "service_tier": "auto"},
        {"max_tokens": None, "stream": None, "tools": None, "response_format": None},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_abilities_pass_through(healthy: Gateway, upstream: Upstream, fields: dict[str, Any]) -> None:
    answer = healthy.chat(**fields)
    assert answer.status_code == 200
    document = upstream.calls[0].document
    assert document == question("Hello", **fields) | {"model": document["model"]}
    assert answer.content == renamed(answers.completion(document), answer)
    assert len(answer.json()["choices"]) == fields.get("n", 1)


@pytest.mark.parametrize("streaming", [False, True])
def test_tools_come_back_as_called(healthy: Gateway, streaming: bool) -> None:
    answer = healthy.chat("What is the weather in Paris?", tools=TOOLS, stream=streaming)
    assert answer.headers["x-polyculture-model"] == "code"
    assert '"name": "weather"' in answer.text


def test_images_go_to_a_model_that_sees(healthy: Gateway, upstream: Upstream) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'iVBORw0KGgo' * 9000}"}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
    answer = healthy.client.post("/v1/chat/completions", json=body)
    assert answer.headers["x-polyculture-model"] == "vision"
    assert upstream.calls[0].document["messages"] == body["messages"]


@pytest.mark.parametrize("given", ["one text", ["one", "two", "three"], [1, 2, 3], [[1, 2], [3]]])
@pytest.mark.parametrize("model", ["auto", "embed", "embed-2"])
def test_embeddings_pass_untouched(healthy: Gateway, upstream: Upstream, given: Any, model: str) -> None:
    body = {"model": model, "input": given, "encoding_format": "float", "dimensions": 16}
    answer = healthy.client.post("/v1/embeddings", json=body)
    assert answer.status_code == 200, answer.text
    call = upstream.calls[0]
    assert call.document == body | {"model": "embed" if model == "auto" else model}
    assert answer.content == answers.embeddings(call.document)
    assert answer.headers["x-polyculture-model"] == call.document["model"]


def test_an_id_elsewhere_or_nowhere_becomes_ours(faulty: Gateway, upstream: Upstream) -> None:
    for body in (b'{"a": 1.0, "choices": [], "id": "x\\"y"}', b'{"choices": [], "a": 1.0}', b'{"id":7,"choices":[]}'):
        play(upstream, whole(body))
        answer = faulty.chat(model="scripted")
        expected = {**json.loads(body), "id": f"chatcmpl-{answer.headers['x-polyculture-decision-id']}"}
        assert answer.json() == expected
        assert (b"1.0" in body) == (b"1.0" in answer.content)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_events_keep_their_line_ends_however_they_arrive(faulty: Gateway, upstream: Upstream, end: str) -> None:
    sent = b"".join(answers.events({"model": "scripted"}, end=end))
    for size in (1, 7, 4096):
        cut = [sent[at : at + size] for at in range(0, len(sent), size)]
        play(upstream, *stream(cut))
        answer = faulty.chat(model="scripted", stream=True)
        assert answer.content == renamed(sent, answer)


def test_an_events_other_lines_stay(faulty: Gateway, upstream: Upstream) -> None:
    document = json.dumps(answers.piece({"content": "x"})).encode()
    sent = [
        b"event: message\nid: 7\ndata: " + document + b"\nretry: 10\n\n",
        b"data:" + document + b"\n\n",
        b": a comment\ndata: " + document + b"\n\n",
        b"data: [DONE]\n\n",
    ]
    play(upstream, *stream(sent))
    answer = faulty.chat(model="scripted", stream=True)
    assert answer.content == renamed(b"".join(sent), answer)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_data_on_several_lines_stays_one_event(faulty: Gateway, upstream: Upstream, end: bytes) -> None:
    document = json.dumps(answers.piece({"content": "x"})).encode()
    head, tail = document.split(b", ", 1)
    lines = [b"id: 7", b"data: " + head + b",", b"data: " + tail, b"retry: 1", b"", b"data: [DONE]", b"", b""]
    play(upstream, *stream([end.join(lines)]))
    answer = faulty.chat(model="scripted", stream=True)
    first, data, *rest = answer.content.split(end)
    name = f"chatcmpl-{answer.headers['x-polyculture-decision-id']}"
    assert json.loads(data.removeprefix(b"data: ")) == {**json.loads(document), "id": name}
    assert [first, *rest] == [lines[0], *lines[3:]]


@pytest.mark.parametrize("line", [b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n", b""])
def test_a_stream_may_end_with_or_without_done(faulty: Gateway, upstream: Upstream, line: bytes) -> None:
    told = answers.event(answers.piece({"content": "x"}, finish=None if line else "stop"))
    play(upstream, *stream([told, line] if line else [told]))
    answer = faulty.chat(model="scripted", stream=True)
    assert answer.status_code == 200
    assert answer.content.endswith(line)
    assert "error" not in answer.text


def test_odd_but_sound_answers_pass(faulty: Gateway, upstream: Upstream) -> None:
    """Lists as content, explicit nulls, fractional counts: what real servers send."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    choice = {"index": 0, "message": {"role": "assistant", "content": [thinking]}, "finish_reason": None}
    body = {"id": "upstream-0", "error": None, "choices": [choice], "usage": {"prompt_tokens": 3.0}}
    play(upstream, whole(json.dumps(body).encode()))
    answer = faulty.chat(model="scripted")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"] == [choice]
    events = [answers.event({**answers.piece({"content": [thinking]}), "error": None}), b"data: [DONE]\n\n"]
    play(upstream, *stream(events))
    streamed = faulty.chat(model="scripted", stream=True)
    assert streamed.content == renamed(b"".join(events), streamed)
