import asyncio
import socket

import pytest

from gateway.transport import BodyTooLarge, Client, Closed, Origin, Stats

from .calls import HELLO, OK, fetch
from .conftest import Run
from .servers import Peer, forever, replying, serving, until

TYPED = OK + b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
JSON = [(b"content-type", b"application/json")]


def test_a_request_arrives_as_written_and_its_answer_comes_back(run: Run) -> None:
    async def scenario() -> None:
        seen: list[tuple[bytes, bytes]] = []

        async def handler(peer: Peer) -> None:
            seen.append(await peer.request())
            await peer.send(TYPED)
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            base = Origin(f"{server.origin}/v1/")
            response = await client.request(b"POST", base, b"/chat?x=1", JSON, b'{"a":1}')
            assert response.status == 200
            assert response.header(b"content-type") == b"text/plain"
            assert response.header(b"x-none") is None
            assert await response.read(limit=5) == b"hello"
            assert await response.read(limit=5) == b""
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)
        host = server.origin.authority
        assert seen == [(
            b"POST /v1/chat?x=1 HTTP/1.1\r\nhost: " + host + b"\r\ncontent-length: 7\r\n"
            b"content-type: application/json\r\n\r\n", b'{"a":1}',
        )]  # fmt: skip

    run(scenario())


def test_one_connection_serves_one_request_after_another(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client() as client:
            for _ in range(20):
                assert await fetch(client, server.origin) == b"hello"
            assert server.taken == 1
            same_place = Origin(f"{server.origin}/other/base")
            assert await fetch(client, same_place) == b"hello"
            assert server.taken == 1

    run(scenario())


@pytest.mark.parametrize(
    "wire",
    [
        OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        HELLO + b"more",
        HELLO + HELLO,
    ],
    ids=["close", "http10", "extra", "two"],
)
def test_a_connection_that_cannot_be_kept_is_closed(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with serving(forever(wire)) as server, Client() as client:
            for count in (1, 2):
                assert await fetch(client, server.origin) == b"hello"
                assert client.stats().open == 0
                assert server.taken == count
            await server.all_gone()

    run(scenario())


def test_a_body_until_the_end_of_the_connection(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK + b"\r\n", b"one,", b"two")

        async with serving(handler) as server, Client() as client:
            assert await fetch(client, server.origin) == b"one,two"
            assert client.stats().open == 0

    run(scenario())


def test_head_and_bodiless_answers(run: Run) -> None:
    async def scenario() -> None:
        async with Client() as client:
            async with serving(forever(OK + b"Content-Length: 5000\r\n\r\n")) as server:
                for _ in range(2):
                    response = await client.request(b"HEAD", server.origin, b"/", [])
                    assert await response.read(limit=0) == b""
            async with serving(forever(b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n")) as server:
                for _ in range(2):
                    assert await fetch(client, server.origin) == b""
                assert server.taken == 1

    run(scenario())


def test_informational_answers_are_skipped_even_when_they_come_apart(run: Run) -> None:
    async def scenario() -> None:
        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await asyncio.sleep(0.01)
            await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 2")
            await asyncio.sleep(0.01)
            await peer.send(TYPED[len("HTTP/1.1 2") :])
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            response = await client.request(b"GET", server.origin, b"/", [])
            assert response.headers == [(b"content-type", b"text/plain"), (b"content-length", b"5")]
            assert await response.read(limit=5) == b"hello"

    run(scenario())


def test_chunks_come_as_they_are_sent(run: Run) -> None:
    async def scenario() -> None:
        turn = asyncio.Event()

        async def handler(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
            for word in (b"one", b"two", b"six"):
                await peer.send(b"3\r\n" + word + b"\r\n")
                await turn.wait()
                turn.clear()
            await peer.send(b"0\r\n\r\n")
            await peer.gone()

        async with serving(handler) as server, Client() as client:
            response = await client.request(b"GET", server.origin, b"/", [])
            got = []
            async for chunk in response.chunks():
                got.append(chunk)
                assert client.stats().in_use == 1
                turn.set()
            assert got == [b"one", b"two", b"six"]
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)

    run(scenario())


def test_read_refuses_a_body_above_its_limit(run: Run) -> None:
    async def scenario() -> None:
        chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        declared = OK + b"Content-Length: 1000000000\r\n\r\n"
        async with Client() as client:
            for wire, limit in ((chunked, 4), (declared, 999_999_999), (HELLO, 4)):
                async with serving(replying(wire)) as server:
                    response = await client.request(b"GET", server.origin, b"/", [])
                    with pytest.raises(BodyTooLarge, match=str(limit)):
                        await response.read(limit=limit)
                    assert client.stats().in_use == 0
                    if wire != HELLO:
                        await server.all_gone()

    run(scenario())


def test_an_unfinished_response_closes_its_connection(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(OK + b"Content-Length: 10\r\n\r\nhello")) as server, Client() as client:
            async with await client.request(b"GET", server.origin, b"/", []) as response:
                async for chunk in response.chunks():
                    assert chunk == b"hello"
                    break
                assert client.stats().in_use == 1
            assert client.stats().open == 0
            await server.all_gone()
            await response.aclose()
            with pytest.raises(Closed, match="response was closed"):
                await response.read(limit=10)

    run(scenario())


def test_a_response_has_one_reader_at_a_time(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying(OK + b"Content-Length: 10\r\n\r\n")) as server, Client() as client:
            async with await client.request(b"GET", server.origin, b"/", []) as response:
                reading = asyncio.create_task(response.read(limit=10))
                await asyncio.sleep(0)
                with pytest.raises(RuntimeError, match="one task at a time"):
                    await response.read(limit=10)
            with pytest.raises(Closed):
                await reading

    run(scenario())


def test_bad_arguments_take_no_connection(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client() as client:
            for headers, target in (([(b"a", b"b\r\nc: d")], b"/"), ([], b"/ HTTP/1.1\r\n\r\n"), ([], b"x")):
                with pytest.raises(ValueError, match=r"header|target"):
                    await client.request(b"GET", server.origin, target, headers)
            assert client.stats().open == server.taken == 0

    run(scenario())


def test_limits_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Client(limit_per_origin=0)
    with pytest.raises(ValueError, match="above zero"):
        Client(keepalive_s=0)


def test_closing_a_client_that_is_connecting(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server:
            client = Client()
            asking = asyncio.create_task(fetch(client, server.origin))
            await asyncio.sleep(0)
            assert client.stats().in_use == 1
            await client.aclose()
            with pytest.raises(Closed):
                await asking
            assert client.stats().open == 0
            await server.all_gone()

    run(scenario())


def test_a_closed_client_refuses_and_ends_what_runs(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying()) as server:
            client = Client(limit_per_origin=2)
            running = [asyncio.create_task(fetch(client, server.origin)) for _ in range(6)]
            await until(lambda: client.stats().waiting == 4 and server.taken == 2)
            await client.aclose()
            results = await asyncio.gather(*running, return_exceptions=True)
            assert [type(result) for result in results] == [Closed] * 6
            assert client.stats() == Stats(open=0, idle=0, in_use=0, waiting=0)
            with pytest.raises(Closed):
                await fetch(client, server.origin)
            await client.aclose()
            await server.all_gone()

    run(scenario())


def test_ipv6_and_no_delay(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO), host="::1") as server, Client() as client:
            assert b"[::1]:" in server.origin.authority
            assert await fetch(client, server.origin) == b"hello"
            (connection,) = client._pools[server.origin.key]._connections
            assert connection._transport is not None
            sock = connection._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(scenario())
