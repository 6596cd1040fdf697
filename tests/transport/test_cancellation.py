"""A caller may leave at any moment."""

import asyncio

import pytest

from gateway.transport import Client, Origin

from .calls import CHUNKED, HELLO, NOTHING, get
from .conftest import Run
from .servers import Handler, Peer, forever, serving, until


def _slow(phase: str) -> Handler:
    async def handler(peer: Peer) -> None:
        if phase != "write":
            await peer.request()
        if phase == "body":
            await peer.send(CHUNKED + b"1\r\nx\r\n")
        if phase == "write":
            await asyncio.sleep(0.3)
        await peer.gone()

    return handler


@pytest.mark.parametrize("phase", ["write", "head", "body"])
def test_cancelling_closes_the_connection(run: Run, phase: str) -> None:
    async def scenario() -> None:
        async def ask(client: Client, origin: Origin) -> bytes:
            body = b"x" * (30_000_000 if phase == "write" else 0)
            response = await client.request(b"POST", origin, b"/", [], body)
            return await response.read(limit=100)

        async with serving(_slow(phase)) as server, Client() as client:
            asking = asyncio.create_task(ask(client, server.origin))
            await asyncio.sleep(0.05)
            assert client.stats().in_use == 1
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert client.stats() == NOTHING
            await server.all_gone()

    run(scenario())


def test_cancelling_just_as_the_answer_is_there_harms_nobody_else(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(limit_per_origin=1) as client:
            for patience in range(12):
                first = asyncio.create_task(get(client, server.origin))
                second = asyncio.create_task(get(client, server.origin))
                for _ in range(patience):
                    await asyncio.sleep(0)
                await until(lambda: client.stats().waiting == 0)
                first.cancel()
                assert await (await second).read(limit=5) == b"hello"
                await asyncio.gather(first, return_exceptions=True)
                await until(lambda: client.stats().in_use == 0)
            assert client.stats().in_use == 0

    run(scenario())
