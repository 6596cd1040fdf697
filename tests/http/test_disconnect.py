"""A client that leaves: the model's server is told at once, and nothing is held against the model."""

from __future__ import annotations

import json
import socket

import pytest

from gateway.events import Answer, Feedback
from tests.support import answers
from tests.support.gateway import KEY, Gateway, eventually, question
from tests.support.upstream import Script, Upstream, stream

PATIENCE_S = 10.0


def send(
    gateway: Gateway, body: bytes, *, path: str = "/v1/chat/completions", length: int | None = None
) -> socket.socket:
    """Send a request by hand; the caller closes the connection."""
    client = socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE_S)
    declared = f"Authorization: Bearer {KEY}\r\nContent-Length: {length or len(body)}"
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{declared}\r\n\r\n".encode() + body)
    return client


def chat(**fields: object) -> bytes:
    return json.dumps(question("Hello", model="scripted", **fields)).encode()


@pytest.mark.parametrize("streaming", [False, True])
def test_leaving_before_the_answer_cancels_the_upstream_call(
    faulty: Gateway, upstream: Upstream, streaming: bool
) -> None:
    upstream.scripts["scripted"] = Script(pieces=[], ending="hang")
    with send(faulty, chat(stream=streaming)):
        call = upstream.wait_for_call("scripted")
        assert not call.gone.wait(0.2)
    assert call.gone.wait(PATIENCE_S)


def test_leaving_in_the_middle_of_a_stream_cancels_the_upstream_call(faulty: Gateway, upstream: Upstream) -> None:
    events = answers.events({"model": "scripted"})
    upstream.scripts["scripted"] = Script(pieces=stream(events[:3], end=False), ending="hang")
    with send(faulty, chat(stream=True)) as client:
        got = b""
        while b"Hell" not in got:
            got += client.recv(65536)
        call = upstream.calls[0]
        assert not call.gone.is_set()
    assert call.gone.wait(PATIENCE_S)
    name = got.partition(b"x-polyculture-decision-id: ")[2][:32].decode()
    (ended,) = eventually(lambda: faulty.events(Answer, about=name))
    assert ended.status == 499
    assert not faulty.events(Feedback, about=name)


def test_leaving_while_an_endless_stream_flows_stops_it(faulty: Gateway, upstream: Upstream) -> None:
    event = answers.event(answers.piece({"content": "x" * 50_000}))
    upstream.scripts["scripted"] = Script(pieces=stream([event] * 4000))
    with send(faulty, chat(stream=True)) as client:
        assert client.recv(65536)
    assert upstream.calls[0].gone.wait(PATIENCE_S)


def test_a_reader_that_stalls_stops_the_upstream_from_filling_memory(faulty: Gateway, upstream: Upstream) -> None:
    """200 MB wait to be read; a client that reads nothing must not make the gateway hold them."""
    event = answers.event(answers.piece({"content": "x" * 100_000}))
    upstream.scripts["scripted"] = Script(pieces=stream([event] * 2000))
    with send(faulty, chat(stream=True)):
        call = upstream.wait_for_call("scripted")
        assert not call.gone.wait(1.0)
        assert call.sent < 1000
    assert call.gone.wait(PATIENCE_S)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/feedback", "/v1/route"])
def test_leaving_in_the_middle_of_the_request_harms_nobody(faulty: Gateway, upstream: Upstream, path: str) -> None:
    for _ in range(3):
        send(faulty, b'{"model": "scripted", ', path=path, length=1000).close()
    assert faulty.chat(model="scripted").status_code == 200
    assert len(upstream.calls) == 1
    assert "Traceback" not in faulty.log


def test_requests_that_were_left_are_counted_as_such(faulty: Gateway, upstream: Upstream) -> None:
    def left() -> float:
        return faulty.metric("polyculture_requests_total", status="499", model="scripted")

    before = left()
    upstream.scripts["scripted"] = Script(pieces=[], ending="hang")
    with send(faulty, chat()):
        upstream.wait_for_call("scripted")
    eventually(lambda: left() == before + 1)
    assert upstream.calls[0].gone.wait(PATIENCE_S)
