"""Neither side is sent more than it takes."""

import asyncio

import pytest

from gateway.transport import Client, RemoteClosed, Stats, Timeouts, WriteTimeout
from gateway.transport.connection import BUFFER_BYTES

from .calls import HASTY, HELLO, NOTHING, OK, get
from .conftest import Run
from .servers import Peer, replying, serving, until


def test_a_slow_reader_slows_the_upstream_down(run: Run) -> None:
    async def scenario() -> None:
        total, piece = 64 << 20, b"x" * 65536
        sent = 0

        async def handler(peer: Peer) -> None:
            nonlocal sent
            await peer.request()
            await peer.send(OK + b"Content-Length: %d\r\n\r\n" % total)
            while sent < total:
                await peer.send(piece)
                sent += len(piece)
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            response = await get(client, server.origin, timeouts=Timeouts(idle=0.3))
            before = -1
            while sent > before:
                before = sent
                await asyncio.sleep(0.5)  # well past the idle time: it is the reader who is slow
            assert sent < total // 2
            assert response.buffered <= BUFFER_BYTES + 256 * 1024
            size = largest = 0
            async for chunk in response.chunks():
                size += len(chunk)
                largest = max(largest, len(chunk))
            assert size == total
            assert largest <= BUFFER_BYTES + 256 * 1024
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)

    run(scenario())


def test_a_paused_body_still_ends_when_the_total_time_is_over(run: Run) -> None:
    async def scenario() -> None:
        large = OK + b"Content-Length: 10000000\r\n\r\n" + b"x" * 9_000_000
        async with serving(replying(large)) as server, Client() as client:
            await get(client, server.origin, timeouts=Timeouts(idle=0.2, total=0.8))
            await asyncio.sleep(0.4)
            assert client.stats().in_use == 1
            await asyncio.sleep(0.6)
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


def test_a_finished_body_that_was_paused_leaves_a_listening_connection(run: Run) -> None:
    async def scenario() -> None:
        body = b"x" * (BUFFER_BYTES + 1)
        wire = OK + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body

        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(wire)
            await asyncio.sleep(0.02)
            await peer.send(b"y")
            await peer.request()
            await peer.send(HELLO)
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            response = await get(client, server.origin)
            await asyncio.sleep(0.05)
            assert await response.read(limit=len(body) + 1) == body + b"y"
            assert await (await get(client, server.origin)).read(limit=5) == b"hello"
            assert server.taken == 1

    run(scenario())


def test_a_large_request_waits_for_the_upstream_to_take_it(run: Run) -> None:
    async def scenario() -> None:
        body = bytes(range(256)) * 40_000
        go = asyncio.Event()

        async def handler(peer: Peer) -> None:
            await go.wait()
            _, got = await peer.request()
            await peer.send(OK + b"Content-Length: 2\r\n\r\n" + (b"ok" if got == body else b"no"))
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            asking = asyncio.create_task(client.request(b"POST", server.origin, b"/", [], body))
            await until(lambda: server.open == 1)
            await asyncio.sleep(0.02)
            (connection,) = client._pools[server.origin.key]._connections
            assert connection._transport is not None
            assert 0 < connection._transport.get_write_buffer_size() < 512 * 1024
            go.set()
            assert await (await asking).read(limit=2) == b"ok"
            assert client.stats().idle == 1

    run(scenario())


def test_an_upstream_that_stops_taking_the_request(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await asyncio.sleep(0.5)

        async with serving(handler) as server, Client() as client:
            with pytest.raises(WriteTimeout, match="stopped taking"):
                await client.request(b"POST", server.origin, b"/", [], b"x" * 30_000_000, timeouts=HASTY)
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


@pytest.mark.parametrize("reset", [False, True])
def test_an_upstream_that_leaves_in_the_middle_of_the_request(run: Run, reset: bool) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.reader.readexactly(100_000)
            if reset:
                peer.reset()

        async with serving(handler) as server, Client() as client:
            with pytest.raises(RemoteClosed, match="before it answered"):
                await client.request(b"POST", server.origin, b"/", [], b"x" * 30_000_000)
            assert client.stats() == NOTHING

    run(scenario())


@pytest.mark.parametrize("finished", [True, False])
def test_an_early_answer_ends_a_large_request(run: Run, finished: bool) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\n" + b"sorry" * finished)
            await asyncio.sleep(0.02)
            await peer.send(b"sorry" * (not finished))
            await asyncio.sleep(0.5)

        async with serving(handler) as server, Client() as client:
            response = await client.request(b"POST", server.origin, b"/", [], b"x" * 30_000_000)
            assert response.status == 413
            assert await response.read(limit=5) == b"sorry"
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())
