"""Connections kept from one exchange to the next."""

import asyncio

import pytest

from gateway.transport import Client, ReadTimeout, RemoteClosed

from .calls import HASTY, HELLO, OK, fetch, get
from .conftest import Run
from .servers import Handler, Peer, replying, serving, until


def test_a_kept_connection_that_the_upstream_closed_leaves_the_pool(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(HELLO, then_close=True)) as server, Client() as client:
            await fetch(client, server.origin)
            await until(lambda: client.stats().open == 0)
            await fetch(client, server.origin)
            assert server.taken == 2

    run(scenario())


def test_bytes_on_an_idle_connection_poison_it(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(HELLO)
            await asyncio.sleep(0.02)
            await peer.send(OK + b"Content-Length: 6\r\n\r\npoison")
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            await fetch(client, server.origin)
            assert client.stats().idle == 1
            await until(lambda: client.stats().open == 0)
            await server.all_gone()

    run(scenario())


def test_bytes_that_wait_unread_on_a_kept_connection_poison_it_too(run: Run) -> None:
    async def scenario() -> None:
        sent = asyncio.Event()

        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(HELLO)
            await sent.wait()
            peer.writer.write(OK + b"Content-Length: 6\r\n\r\npoison")
            await asyncio.Event().wait()

        async with serving(handler) as server, Client() as client:
            await fetch(client, server.origin)
            (connection,) = client._pools[server.origin.key]._idle
            assert connection._transport is not None
            connection._transport.pause_reading()  # the loop is late
            sent.set()
            await asyncio.sleep(0.02)
            assert client.stats().idle == 1
            again = asyncio.create_task(get(client, server.origin))
            response = await again
            assert await response.read(limit=6) == b"hello"
            assert server.taken == 2

    run(scenario())


def _hanging_up_on_the_second(request_count: list[int], *, reset: bool = False) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(HELLO)
        await peer.request()
        request_count.append(1)
        if reset:
            peer.reset()

    return handler


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("size", [10, 5_000_000])
def test_a_stale_connection_is_retried_once_on_a_new_one(run: Run, reset: bool, size: int) -> None:
    async def scenario() -> None:
        hung_up: list[int] = []
        handler = _hanging_up_on_the_second(hung_up, reset=reset)
        async with serving(handler) as server, Client(limit_per_origin=3) as client:
            await asyncio.gather(*[get(client, server.origin) for _ in range(3)])
            assert client.stats().idle == 3
            response = await client.request(b"POST", server.origin, b"/", [], b"x" * size)
            assert await response.read(limit=5) == b"hello"
            assert len(hung_up) == 1
            assert server.taken == 4

    run(scenario())


def test_a_new_connection_is_not_retried_and_neither_is_one_that_answered(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(HELLO)
            await peer.request()
            await peer.send(b"H")

        async with Client() as client:
            async with serving(replying(b"", then_close=True)) as server:
                with pytest.raises(RemoteClosed):
                    await get(client, server.origin)
                assert server.taken == 1
            async with serving(handler) as server:
                await fetch(client, server.origin)
                with pytest.raises(RemoteClosed, match="after 1 bytes"):
                    await get(client, server.origin)
                assert server.taken == 1

    run(scenario())


def test_a_kept_connection_that_hangs_is_not_retried(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(HELLO, b"")) as server, Client() as client:
            await fetch(client, server.origin)
            with pytest.raises(ReadTimeout):
                await get(client, server.origin, timeouts=HASTY)
            assert server.taken == 1

    run(scenario())
