"""Requests arrive within bounds that people's are not near; answers leave in one piece, and in order."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import parse_headers
from typing import Any, BinaryIO

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.errors import NotFound
from gateway.http import Receive, Scope, Send, respond_error
from gateway.inbound import HEAD_BYTES, Inbound
from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import KEY, Gateway, eventually, question
from tests.support.upstream import Script, Upstream, whole

BEGIN = b"GET /healthz HTTP/1.1\r\nhost: here\r\n"
HEAD = f"POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {KEY}\r\n".encode()


def reach(gateway: Gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=10)


def asked(prompt: str, *fields: bytes, model: str = "chat") -> bytes:
    body = json.dumps(question(prompt, model=model)).encode()
    return HEAD + b"".join(b"%b\r\n" % field for field in (*fields, b"content-length: %d" % len(body), b"")) + body


def answered(told: BinaryIO) -> tuple[int, Any]:
    """The next answer of a connection; the one after it may have come already."""
    status = int(told.readline().split()[1])
    return status, json.loads(told.read(int(parse_headers(told)["content-length"])))


@pytest.fixture
def connection(healthy: Gateway) -> Iterator[socket.socket]:
    with reach(healthy) as made:
        yield made


@pytest.mark.parametrize("piece", [b"x-more: " + b"y" * 9_000 + b"\r\n", b"y" * 9_000], ids=["many", "one"])
def test_a_head_without_an_end_is_refused(connection: socket.socket, healthy: Gateway, piece: bytes) -> None:
    connection.sendall(BEGIN + b"x-first: ")
    sent, most = 0, 1000 * HEAD_BYTES
    with suppress(ConnectionError):
        while sent < most:
            sent += connection.send(piece)
    assert sent < most
    assert healthy.client.get("/healthz").status_code == 200


def test_it_is_told_why(connection: socket.socket) -> None:
    connection.sendall(BEGIN + b"x-first: ")
    connection.settimeout(0.1)
    told = b""
    while not told:
        connection.sendall(b"y" * (HEAD_BYTES // 2))
        with suppress(TimeoutError):
            told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.endswith(b"too long.")


def test_long_heads_in_small_pieces_pass_again_and_again(connection: socket.socket) -> None:
    head = BEGIN + b"x-long: " + b"y" * 50_000 + b"\r\n\r\n"
    with connection.makefile("rb") as told:
        for _ in range(5):
            for place in range(0, len(head), 1000):
                connection.sendall(head[place : place + 1000])
            status, document = answered(told)
            assert (status, type(document)) == (200, dict)


def test_an_answer_comes_in_one_piece(connection: socket.socket) -> None:
    for number in range(3):
        connection.sendall(asked(f"Question {number}"))
        head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert f"content-length: {len(body)}".encode() in head.split(b"\r\n")
        assert json.loads(body)["choices"]


def test_a_connection_ends_when_its_client_says_so(connection: socket.socket) -> None:
    connection.sendall(asked("Hello", b"connection: close"))
    told = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert told.count(b"HTTP/1.1 ") == 1
    assert b"connection: close\r\n" in told


def test_requests_in_a_row_are_answered_in_order(connection: socket.socket) -> None:
    connection.sendall(b"".join(asked(f"Question {number}") for number in range(5)))
    with connection.makefile("rb") as told:
        for _ in range(5):
            status, document = answered(told)
            assert (status, document["object"]) == (200, "chat.completion")


@pytest.mark.anyio
async def test_no_header_can_be_two() -> None:
    sent: list[bytes] = []

    class Wire(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            sent.append(bytes(data))

        def is_closing(self) -> bool:
            return False

        def close(self) -> None:
            """Nothing is open."""

    async def forged(scope: Scope, receive: Receive, send: Send) -> None:
        await respond_error(send, NotFound("No."), headers=[(b"x-model", b"a\r\nset-cookie: b")])

    config = uvicorn.Config(forged, lifespan="off", log_config=None)
    config.load()
    protocol = Inbound(config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop())
    protocol.connection_made(Wire())
    protocol.data_received(BEGIN + b"\r\n")
    await asyncio.gather(*protocol.tasks)
    protocol.connection_lost(None)
    assert b"set-cookie" not in b"".join(sent)
    assert sent[0].startswith(b"HTTP/1.1 500 ")


@pytest.fixture
def hasty(start: Start, upstream: Upstream) -> Gateway:
    """Takes one request at a time, and waits for none."""
    hurry = {"POLYCULTURE_ARRIVAL_S": "0.3", "POLYCULTURE_MAX_CONCURRENT": "1", "POLYCULTURE_MAX_QUEUED": "0"}
    return start({"models": [card("first", upstream.url)]}, **hurry)


@pytest.mark.parametrize("sent", [HEAD, HEAD + b'content-length: 100\r\n\r\n{"model": '], ids=["head", "body"])
@pytest.mark.parametrize("dripping", [False, True])
def test_a_request_that_does_not_come_on_is_given_up(hasty: Gateway, sent: bytes, dripping: bool) -> None:
    with reach(hasty) as connection:
        connection.sendall(sent)
        connection.settimeout(0.1)
        told = b""
        while not told:
            with suppress(TimeoutError):
                told = connection.recv(65_536)
            if dripping and not told:
                connection.sendall(b"x")
        assert told.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert json.loads(told.rpartition(b"\r\n")[2])["error"]["code"] == "request_timeout"
        connection.settimeout(10)
        assert connection.recv(1) == b""
    eventually(lambda: hasty.chat().status_code == 200)  # nobody's place is held any longer


def test_one_that_comes_on_is_waited_for(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("first", upstream.url)]}, POLYCULTURE_ARRIVAL_S="1")
    request = asked("x" * 10_000, model="first")
    pause = threading.Event()
    with reach(gateway) as connection, connection.makefile("rb") as told:
        for place in range(0, len(request), 500):
            connection.sendall(request[place : place + 500])
            pause.wait(0.1)
        assert answered(told)[0] == 200


def test_a_connection_without_a_word_is_closed(hasty: Gateway) -> None:
    with reach(hasty) as connection:
        assert connection.recv(1) == b""


def test_a_slow_answer_is_waited_for_however_early_the_next_request_begins(hasty: Gateway, upstream: Upstream) -> None:
    upstream.scripts["first"] = Script(
        pieces=[whole(answers.completion({"model": "first", "messages": []}))], delay_s=1
    )
    with reach(hasty) as connection, connection.makefile("rb") as told:
        connection.sendall(asked("x", model="first") + HEAD)
        status, document = answered(told)
        assert status == 200
        assert document["choices"]
        assert answered(told)[0] == 408
