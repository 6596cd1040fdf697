import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from gateway.transport import Client, ConnectFailed, Origin, ReadTimeout, RemoteClosed, Timeouts

from .calls import HELLO, NOTHING, OK, fetch, get
from .conftest import Run
from .servers import Handler, Peer, Server, forever, replying, serving, until


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def serving_tls(authority: trustme.CA, handler: Handler) -> AsyncIterator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serving(handler, tls=context) as server:
        yield server


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_with_a_trusted_certificate(run: Run, authority: trustme.CA) -> None:
    async def scenario() -> None:
        large = b"x" * 3_000_000
        reply = OK + b"Content-Length: %d\r\n\r\n" % len(large) + large
        async with serving_tls(authority, forever(reply)) as server, Client(ssl_context=trusting(authority)) as client:
            for _ in range(3):
                response = await client.request(b"POST", server.origin, b"/", [], large)
                assert await response.read(limit=len(large)) == large
            assert server.taken == 1
            response = await client.request(b"POST", server.origin, b"/", [])
            await response.aclose()
            assert client.stats().open == 0
            await server.all_gone()

    run(scenario())


def test_tls_with_a_certificate_nobody_vouches_for(run: Run, authority: trustme.CA) -> None:
    async def scenario() -> None:
        async with serving_tls(authority, forever(HELLO)) as server, Client() as client:
            with pytest.raises(ConnectFailed, match="certificate"):
                await fetch(client, server.origin)
            assert client.stats().open == 0
            other_name = Origin(f"https://localhost:{server.origin.port}")
            async with Client(ssl_context=trusting(authority)) as wary:
                with pytest.raises(ConnectFailed, match="certificate"):
                    await fetch(wary, other_name)
            await server.all_gone()

    run(scenario())


def test_https_to_a_server_that_speaks_plain_http(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.send(HELLO)
            await peer.gone()

        async with serving(handler) as plain, Client() as client:
            with pytest.raises(ConnectFailed, match="cannot connect"):
                await fetch(client, Origin(f"https://127.0.0.1:{plain.origin.port}"))
            assert client.stats().open == 0
            await plain.all_gone()

    run(scenario())


def test_faults_behind_tls(run: Run, authority: trustme.CA) -> None:
    async def scenario() -> None:
        half = OK + b"Content-Length: 10\r\n\r\nhello"
        async with Client(ssl_context=trusting(authority)) as client:
            async with serving_tls(authority, replying(half, then_close=True)) as server:
                with pytest.raises(RemoteClosed, match="bytes of its response"):
                    await fetch(client, server.origin)
            async with serving_tls(authority, replying(half)) as server:
                response = await get(client, server.origin, timeouts=Timeouts(idle=0.08))
                with pytest.raises(ReadTimeout):
                    await response.read(limit=10)
                await server.all_gone()
            async with serving_tls(authority, replying(HELLO, then_close=True)) as server:
                assert await fetch(client, server.origin) == b"hello"
                assert await fetch(client, server.origin) == b"hello"
            async with serving_tls(authority, replying(half)) as server:
                asking = asyncio.create_task(fetch(client, server.origin))
                await until(lambda: server.open == 1)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
                await server.all_gone()
            await until(lambda: client.stats() == NOTHING)

    run(scenario())


def test_a_slow_reader_behind_tls(run: Run, authority: trustme.CA) -> None:
    async def scenario() -> None:
        size = 20_000_000
        reply = OK + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
        async with (
            serving_tls(authority, forever(reply)) as server,
            Client(ssl_context=trusting(authority)) as client,
            await get(client, server.origin) as response,
        ):
            await asyncio.sleep(0.2)
            assert response.buffered < size // 10
            assert len(await response.read(limit=size)) == size
            assert client.stats().idle == 1

    run(scenario())
