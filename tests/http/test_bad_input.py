"""Requests that are not what they should be: each a clear error in OpenAI's shape, and the process up."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.gateway import KEY, Gateway, question
from tests.support.upstream import Upstream

CHAT, EMBEDDINGS, FEEDBACK, ROUTE = "/v1/chat/completions", "/v1/embeddings", "/v1/feedback", "/v1/route"
USER = {"role": "user", "content": "Hi"}


def check_error(answer: httpx.Response, status: int, kind: str = "invalid_request_error") -> dict[str, Any]:
    """The answer is an error in OpenAI's shape that shows nothing of the inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == kind
    assert error["message"]
    assert error["message"][-1] == "."
    for inside in ("Traceback", ".py", "site-packages", "sqlalchemy", "msgspec", "127.0.0.1", "object at"):
        assert inside not in answer.text
    return error


MALFORMED = {
    "nothing": b"",
    "a space": b" ",
    "a brace": b"{",
    "cut in a string": b'{"messages": [{"role": "us',
    "a trailing comma": b'{"model": "auto", "messages": [],}',
    "two documents": b"{}{}",
    "no JSON": b"model=auto&messages=Hi",
    "NUL": b"\x00",
    "a NUL inside": b'{"model": "auto",\x00 "messages": []}',
    "a raw control character": b'{"model": "auto", "messages": [{"role": "user", "content": "a\x01"}]}',
    "not UTF-8": b'{"model": "auto", "messages": [{"role": "user", "content": "\xff\xfe"}]}',
    "not UTF-8 where nobody reads": b'{"model": "auto", "messages": [{"role": "user", "content": "a"}], "x": "\xff"}',
    "a key that is not UTF-8": b'{"model": "auto", "messages": [{"role": "user", "content": "a"}], "\xff": 1}',
    "UTF-16": json.dumps(question("Hi")).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(question("Hi")).encode(),
    "a lone surrogate": b'{"model": "auto", "messages": [{"role": "user", "content": "\\ud800"}]}',
    "NaN": b'{"model": "auto", "messages": [{"role": "user", "content": "a"}], "temperature": NaN}',
    "a bad escape": b'{"model": "auto", "messages": [{"role": "user", "content": "\\q"}]}',
    "a list": b"[]",
    "a string": b'"auto"',
    "null": b"null",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("path", [CHAT, EMBEDDINGS, FEEDBACK, ROUTE])
def test_what_is_no_json_object_is_refused(healthy: Gateway, upstream: Upstream, path: str, name: str) -> None:
    check_error(healthy.client.post(path, content=MALFORMED[name]), 400)
    assert not upstream.calls


WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({"messages": None}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": ["Hi"]}, "messages[0]"),
    ({"messages": [{}]}, "messages[0]"),
    ({"messages": [{"content": "Hi"}]}, "messages[0]"),
    ({"messages": [{"role": 1, "content": "Hi"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": {}}]}, "messages[0].content"),
    ({"messages": [USER, {"role": "user", "content": ["Hi"]}]}, "messages[1].content[0]"),
    ({"messages": [{"role": "user", "content": [{"type": 1}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content[0].text"),
    ({"model": None}, "model"),
    ({"model": 5}, "model"),
    ({"model": ["auto"]}, "model"),
    ({"stream": "yes"}, "stream"),
    ({"stream": 1}, "stream"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"max_completion_tokens": []}, "max_completion_tokens"),
    ({"tools": {}}, "tools"),
    ({"tools": "all"}, "tools"),
    ({"response_format": "json"}, "response_format"),
    ({"response_format": {"type": 1}}, "response_format.type"),
]


@pytest.mark.parametrize(("fields", "param"), WRONG, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("path", [CHAT, ROUTE])
def test_wrong_types_name_the_field(
    healthy: Gateway, upstream: Upstream, path: str, fields: dict[str, Any], param: str | None
) -> None:
    error = check_error(healthy.client.post(path, json=question("Hi") | fields), 400)
    assert error["param"] == param
    assert not upstream.calls


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, None), ({"input": ""}, "input"), ({"input": []}, "input"), ({"input": 5}, "input"), ({"input": {}}, "input")],
)
def test_embeddings_need_an_input(healthy: Gateway, body: dict[str, Any], param: str | None) -> None:
    assert check_error(healthy.client.post(EMBEDDINGS, json=body), 400)["param"] == param


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        "",
        "\u0000",
        "a\u0000b\U0001f600\u202e\ufeff" * 50,
        [{"type": "text"}],
        [{"type": "text", "text": None}],
        [{"type": "unknown", "x": [1]}, {"text": "Hi"}],
        [{"type": "image_url"}],
        [{"type": "image_url", "image_url": "http://x/"}, {"type": "text", "text": "What?"}],
    ],
)
def test_odd_contents_are_passed_on(healthy: Gateway, upstream: Upstream, content: Any) -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "wizard", "content": content}, {"role": "user"}]
    answer = healthy.client.post(CHAT, json={"model": "auto", "messages": messages})
    assert answer.status_code == 200, answer.text
    assert upstream.calls[0].document["messages"] == messages


@pytest.mark.parametrize("number", [-1, 0, 10**6, 2**63, 2**64, 10**300])
def test_any_whole_number_is_a_limit_of_tokens(healthy: Gateway, number: int) -> None:
    answer = healthy.chat(max_tokens=number)
    if number < 1000:
        assert answer.status_code == 200
    else:
        assert check_error(answer, 400)["code"] == "context_length_exceeded"
        assert healthy.chat(max_tokens=number, model="chat").status_code == 200


@pytest.mark.parametrize("path", [CHAT, FEEDBACK, EMBEDDINGS, ROUTE])
def test_deep_nesting_is_refused_at_every_depth(healthy: Gateway, path: str) -> None:
    """Near the interpreter's limit, too, where one reader still manages what the next does not."""
    for depth in (*range(960, 1010), 5_000, 200_000):
        nested = b"[" * depth + b"]" * depth
        body = b'{"model": "chat", "messages": [{"role": "user", "content": "a"}], "input": "a", "x": ' + nested + b"}"
        answer = healthy.client.post(path, content=body)
        if answer.status_code != 200:
            assert answer.status_code in {400, 404}, (depth, answer.text)
            assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.status_code == 400


def test_of_two_members_with_one_name_the_last_counts(healthy: Gateway, upstream: Upstream) -> None:
    message = b'[{"role": "user", "content": "%s"}]'
    body = b'{"model": "math", "messages": %s, "model": "chat", "messages": %s}' % (message % b"a", message % b"b")
    answer = healthy.client.post(CHAT, content=body)
    assert answer.headers["x-polyculture-model"] == "chat"
    assert upstream.calls[0].document == {"model": "chat", "messages": [{"role": "user", "content": "b"}]}


LIMIT = 20_000_000


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"messages": [{"role": "user", "content": "'
    for _ in range(size // 1_000_000):
        yield b"x" * 1_000_000


@pytest.mark.parametrize("path", [CHAT, EMBEDDINGS, FEEDBACK, ROUTE])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_past_the_limit_is_refused(healthy: Gateway, path: str, declared: bool) -> None:
    content: Any = b"x" * (LIMIT + 1) if declared else chunks(LIMIT + 1_000_000)
    error = check_error(healthy.client.post(path, content=content), 413)
    assert error["code"] == "body_too_large"
    assert healthy.client.get("/healthz").status_code == 200


def test_a_declared_length_is_refused_before_the_body_comes(healthy: Gateway) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {10**12}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", healthy.port), timeout=10) as client:
        client.sendall(head.encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_large_body_within_the_limit_passes(healthy: Gateway, upstream: Upstream) -> None:
    text = "word " * 3_000_000
    answer = healthy.chat(text, model="chat")
    assert answer.status_code == 200
    assert upstream.calls[0].document["messages"][0]["content"] == text


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("path", [CHAT, EMBEDDINGS, FEEDBACK, ROUTE, "/admin/v1/router/freeze"])
def test_wrong_methods_say_which_is_right(healthy: Gateway, method: str, path: str) -> None:
    answer = healthy.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        assert check_error(answer, 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/metrics", "/openapi.json"])
def test_what_is_only_read_cannot_be_posted(healthy: Gateway, path: str) -> None:
    answer = healthy.client.post(path)
    assert check_error(answer, 405)["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v2/chat/completions", "/v1/chat", "/v1/chat/completions/", "/healthz/", "/V1/MODELS",
     "/v1/complete", "/admin", "/../etc/passwd", "/%2e%2e/%00", "/v1/chat/completions%2F", "/" + "x" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_paths_are_not_found(healthy: Gateway, method: str, path: str) -> None:
    answer = healthy.client.request(method, path)
    assert check_error(answer, 404)["code"] == "not_found"


def test_large_and_many_headers(healthy: Gateway) -> None:
    answer = healthy.chat(headers={"x-large": "x" * 100_000, "x-polyculture-tags": "," * 50_000})
    assert answer.status_code == 200
    many = healthy.chat(headers={f"x-{number}": "y" for number in range(2000)})
    assert many.status_code == 200


RAW = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "no such method": b"BREW /v1/route HTTP/1.1\r\nHost: x\r\n\r\n",
    "a negative length": b"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a bad chunk": b"POST /v1/route HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a websocket": b"GET /v1/route HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_bad_http_harms_nobody(healthy: Gateway, name: str) -> None:
    with socket.create_connection(("127.0.0.1", healthy.port), timeout=10) as client:
        client.sendall(RAW[name])
        client.shutdown(socket.SHUT_WR)
        got = b""
        while piece := client.recv(65536):
            got += piece
    assert got == b"" or got.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in got[:20]
    assert healthy.chat().status_code == 200
    assert "Traceback" not in healthy.log
