"""Faults of the upstream, at each phase of an exchange."""

import asyncio

import pytest

from gateway.transport import (
    Client,
    ConnectFailed,
    ConnectionReset,
    Origin,
    ProtocolViolation,
    ReadTimeout,
    RemoteClosed,
    Response,
    Timeouts,
    TransportError,
)

from .calls import CHUNKED, HASTY, HELLO, NOTHING, OK, get
from .conftest import Run
from .servers import Handler, Peer, forever, replying, serving, until


async def pieces_until(response: Response, error: type[TransportError]) -> bytes:
    """What a reader gets before the error ends it, which whoever reads on gets again."""
    got = bytearray()

    async def read() -> None:
        async for piece in response.chunks():
            got.extend(piece)

    with pytest.raises(error) as first:
        await read()
    with pytest.raises(error) as again:
        await response.read(limit=10)
    assert (repr(again.value), vars(again.value)) == (repr(first.value), vars(first.value))
    return bytes(got)


def test_nobody_listens(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server:
            gone = server.origin
        async with Client() as client:
            for origin in (gone, Origin("http://no-such-host.invalid")):
                with pytest.raises(ConnectFailed, match="cannot connect to http"):
                    await get(client, origin)
            assert client.stats() == NOTHING

    run(scenario())


def _resetting(client: Client, wire: bytes) -> Handler:
    """Send some bytes, wait until the client has them, then reset the connection."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire)
        (pool,) = client._pools.values()
        (connection,) = pool._connections
        await until(lambda: connection._received == len(wire))
        peer.reset()

    return handler


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 20", b"HTTP/1.1 100 C\r\n\r\n", OK + b"A: b\r\n"])
@pytest.mark.parametrize(("reset", "error"), [(False, RemoteClosed), (True, ConnectionReset)])
def test_closed_or_reset_before_the_head(run: Run, before: bytes, reset: bool, error: type[RemoteClosed]) -> None:
    async def scenario() -> None:
        client = Client()
        handler = _resetting(client, before) if reset else replying(before, then_close=True)
        async with serving(handler) as server, client:
            with pytest.raises(error) as failed:
                await get(client, server.origin)
            assert type(failed.value) is error
            assert failed.value.received == len(before)
            assert client.stats() == NOTHING
            assert server.taken == 1

    run(scenario())


@pytest.mark.parametrize("head", [OK + b"Content-Length: 10\r\n\r\nhello", CHUNKED + b"5\r\nhello\r\n"])
@pytest.mark.parametrize(("reset", "error"), [(False, RemoteClosed), (True, ConnectionReset)])
def test_half_a_body_is_delivered_then_the_error(run: Run, head: bytes, reset: bool, error: type[RemoteClosed]) -> None:
    async def scenario() -> None:
        client = Client()
        handler = _resetting(client, head) if reset else replying(head, then_close=True)
        async with serving(handler) as server, client:
            response = await get(client, server.origin)
            assert response.status == 200
            assert await pieces_until(response, error) == b"hello"
            assert client.stats() == NOTHING

    run(scenario())


def test_a_reset_is_no_end_of_a_body_without_a_length(run: Run) -> None:
    async def scenario() -> None:
        client = Client()
        async with serving(_resetting(client, OK + b"\r\nhello")) as server, client:
            response = await get(client, server.origin)
            assert await pieces_until(response, ConnectionReset) == b"hello"

    run(scenario())


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 2", b"HTTP/1.1 100 C\r\n\r\n", OK + b"A: b\r\n"])
def test_a_head_that_never_comes(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with serving(replying(wire)) as server, Client() as client:
            with pytest.raises(ReadTimeout, match="no response head in time"):
                await get(client, server.origin, timeouts=HASTY)
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


def _dripping(head: bytes, drop: bytes) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        while True:
            await peer.send(drop)
            await asyncio.sleep(0.005)

    return handler


def test_a_head_that_drips_does_not_outlive_its_time(run: Run) -> None:
    async def scenario() -> None:
        async with serving(_dripping(OK, b"A: b\r\n")) as server, Client() as client:
            with pytest.raises(ReadTimeout, match="no response head"):
                await get(client, server.origin, timeouts=HASTY)
            await server.all_gone()

    run(scenario())


def test_a_chunk_extension_that_drips_is_no_body(run: Run) -> None:
    async def scenario() -> None:
        async with serving(_dripping(CHUNKED + b"5\r\nhello\r\n1;", b"x")) as server, Client() as client:
            response = await get(client, server.origin, timeouts=Timeouts(idle=0.08))
            assert await pieces_until(response, ReadTimeout) == b"hello"
            await server.all_gone()

    run(scenario())


def test_a_body_that_drips_is_fine_until_the_total_time_is_over(run: Run) -> None:
    async def scenario() -> None:
        timeouts = Timeouts(idle=0.3, total=0.5)
        async with serving(_dripping(CHUNKED, b"1\r\nx\r\n")) as server, Client() as client:
            response = await get(client, server.origin, timeouts=timeouts)
            start = asyncio.get_running_loop().time()
            got = await pieces_until(response, ReadTimeout)
            assert len(got) > 5
            assert asyncio.get_running_loop().time() - start > 0.3
            await server.all_gone()

    run(scenario())


def test_a_body_that_stops(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(CHUNKED + b"5\r\nhello\r\n")) as server, Client() as client:
            response = await get(client, server.origin, timeouts=Timeouts(idle=0.08))
            assert await pieces_until(response, ReadTimeout) == b"hello"
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


@pytest.mark.parametrize(
    ("wire", "body"), [(CHUNKED + b"5\r\nhello\r\nzz\r\n", b"hello"), (CHUNKED + b"2\r\nabcd", b"ab")]
)
def test_garbage_in_a_body_is_delivered_up_to_the_garbage(run: Run, wire: bytes, body: bytes) -> None:
    async def scenario() -> None:
        async with serving(replying(wire)) as server, Client() as client:
            response = await get(client, server.origin)
            assert await pieces_until(response, ProtocolViolation) == body
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


def test_garbage_instead_of_a_head(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(b"\x00\x01\x02 what?\r\n\r\n")) as server, Client() as client:
            with pytest.raises(ProtocolViolation, match="bad response: Expected HTTP/"):
                await get(client, server.origin)
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())
