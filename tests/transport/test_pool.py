import asyncio
import math

import pytest

from gateway.transport import Client, ConnectTimeout, Origin, RemoteClosed, Stats, Timeouts
from gateway.transport.connection import Connection
from gateway.transport.pool import Pool

from .calls import HELLO, NOTHING, OK, fetch, get
from .conftest import Run
from .servers import Peer, forever, replying, serving, until

BRIEF = Timeouts(connect=0.08)


async def _half(peer: Peer) -> None:
    """Send half a body, the rest when the next byte comes from nowhere: never."""
    await peer.request()
    await peer.send(OK + b"Content-Length: 5\r\n\r\nhel")
    await peer.gone()


def test_the_connection_used_last_is_used_first(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client() as client:
            await asyncio.gather(*[fetch(client, server.origin) for _ in range(3)])
            pool = client._pools[server.origin.key]
            last = pool._idle[-1]
            for _ in range(3):
                await fetch(client, server.origin)
                assert pool._idle[-1] is last
            assert server.taken == 3

    run(scenario())


def test_idle_connections_are_dropped_after_a_while(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(keepalive_s=0.1) as client:
            await asyncio.gather(*[fetch(client, server.origin) for _ in range(3)])
            assert client.stats().idle == 3
            for _ in range(4):
                await asyncio.sleep(0.05)
                await fetch(client, server.origin)
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)
            await asyncio.sleep(0.15)
            assert client.stats().open == 0
            await server.all_gone()
            assert await fetch(client, server.origin) == b"hello"

    run(scenario())


def test_an_idle_connection_that_is_too_old_is_not_lent_even_if_the_timer_is_late(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(keepalive_s=1) as client:
            await fetch(client, server.origin)
            (connection,) = client._pools[server.origin.key]._idle
            connection.idle_since -= 1
            await fetch(client, server.origin)
            assert server.taken == 2
            assert client.stats().open == 1

    run(scenario())


def test_the_limit_holds_and_the_line_moves_in_order(run: Run) -> None:
    async def scenario() -> None:
        most = now = 0
        order: list[int] = []

        async def handler(peer: Peer) -> None:
            nonlocal most, now
            while True:
                await peer.request()
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.002)
                now -= 1
                await peer.send(HELLO)

        async def ask(number: int) -> None:
            response = await get(client, server.origin)
            order.append(number)
            await response.read(limit=5)

        async with serving(handler) as server, Client(limit_per_origin=2) as client:
            await asyncio.gather(*[ask(number) for number in range(20)])
            assert most == server.taken == 2
            assert all(abs(place - number) <= 1 for place, number in enumerate(order))
            assert client.stats() == Stats(open=2, idle=2, in_use=0, waiting=0)

    run(scenario())


def test_each_origin_has_its_own_limit(run: Run) -> None:
    async def scenario() -> None:
        async with (
            serving(_half) as one,
            serving(forever(HELLO)) as two,
            Client(limit_per_origin=1) as client,
            await get(client, one.origin),
        ):
            assert await fetch(client, two.origin) == b"hello"
            assert client.stats() == Stats(open=2, idle=1, in_use=1, waiting=0)

    run(scenario())


def test_waiting_in_line_ends_with_the_time_to_connect(run: Run) -> None:
    async def scenario() -> None:
        async with (
            serving(_half) as server,
            Client(limit_per_origin=1) as client,
            await get(client, server.origin),
        ):
            with pytest.raises(ConnectTimeout, match="1 of 1 connections in use"):
                await get(client, server.origin, timeouts=BRIEF)
            with pytest.raises(ConnectTimeout):
                await get(client, server.origin, timeouts=Timeouts(total=0.05))
            assert client.stats() == Stats(open=1, idle=0, in_use=1, waiting=0)

    run(scenario())


def test_connecting_ends_with_the_time_to_connect(run: Run) -> None:
    async def scenario() -> None:
        async with serving(replying()) as server, Client() as client:
            secure = Origin(f"https://127.0.0.1:{server.origin.port}")
            with pytest.raises(ConnectTimeout, match="no connection to https"):
                await get(client, secure, timeouts=BRIEF)
            assert client.stats().open == 0
            await server.all_gone()
            asking = asyncio.create_task(get(client, secure))
            await until(lambda: server.open == 1)
            assert client.stats().in_use == 1
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert client.stats().open == 0
            await server.all_gone()

    run(scenario())


def test_one_who_leaves_the_line_takes_nothing_along(run: Run) -> None:
    async def scenario() -> None:
        async with serving(_half) as server, Client(limit_per_origin=1) as client:
            holder = await get(client, server.origin)
            line = [asyncio.create_task(get(client, server.origin)) for _ in range(4)]
            await asyncio.sleep(0.01)
            line[0].cancel()
            await asyncio.sleep(0)
            assert client.stats().waiting == 3
            await holder.aclose()  # the place passes to the second in line,
            line[1].cancel()  # who leaves at that very moment
            third = await line[2]
            assert client.stats() == Stats(open=1, idle=0, in_use=1, waiting=1)
            await third.aclose()
            await (await line[3]).aclose()
            assert client.stats() == Stats(open=0, idle=0, in_use=0, waiting=0)
            results = await asyncio.gather(*line[:2], return_exceptions=True)
            assert [type(result) for result in results] == [asyncio.CancelledError] * 2

    run(scenario())


def test_one_who_just_left_the_line_is_passed_over(run: Run) -> None:
    async def scenario() -> None:
        async with serving(_half) as server, Client(limit_per_origin=1) as client:
            holder = await get(client, server.origin)
            line = [asyncio.create_task(get(client, server.origin)) for _ in range(2)]
            await asyncio.sleep(0.01)
            line[0].cancel()
            await holder.aclose()  # before the first in line has noticed that it was cancelled
            async with await line[1]:
                assert line[0].cancelled()
                assert client.stats() == Stats(open=1, idle=0, in_use=1, waiting=0)

    run(scenario())


@pytest.mark.parametrize("alive", [True, False])
def test_one_who_leaves_with_a_connection_in_hand_gives_it_on(run: Run, alive: bool) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(limit_per_origin=1) as client:
            await fetch(client, server.origin)
            pool = client._pools[server.origin.key]
            connection = pool.take(asyncio.get_running_loop().time())
            assert isinstance(connection, Connection)
            line = [asyncio.create_task(fetch(client, server.origin)) for _ in range(2)]
            await asyncio.sleep(0)
            assert client.stats().waiting == 2
            pool.returned(connection)
            line[0].cancel()
            if not alive:
                connection.close()
            assert await line[1] == b"hello"
            assert line[0].cancelled()
            assert server.taken == (1 if alive else 2)
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)

    run(scenario())


def test_a_connection_that_dies_on_its_way_to_the_next_in_line_is_replaced(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(limit_per_origin=1) as client:
            await fetch(client, server.origin)
            pool = client._pools[server.origin.key]
            connection = pool.take(asyncio.get_running_loop().time())
            assert isinstance(connection, Connection)
            line = [asyncio.create_task(fetch(client, server.origin)) for _ in range(2)]
            await asyncio.sleep(0)
            pool.returned(connection)
            connection.close()
            assert await asyncio.gather(*line) == [b"hello", b"hello"]
            assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)

    run(scenario())


def test_a_failed_connect_frees_its_place(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server:
            origin = server.origin
        async with Client(limit_per_origin=1) as client:
            results = await asyncio.gather(*[get(client, origin) for _ in range(5)], return_exceptions=True)
            assert {type(result).__name__ for result in results} == {"ConnectFailed"}
            assert client.stats() == Stats(open=0, idle=0, in_use=0, waiting=0)

    run(scenario())


def test_a_new_connection_on_demand_takes_the_place_of_the_oldest_idle_one(run: Run) -> None:
    async def scenario() -> None:
        async with serving(forever(HELLO)) as server, Client(limit_per_origin=2) as client:
            await asyncio.gather(fetch(client, server.origin), fetch(client, server.origin))
            pool = client._pools[server.origin.key]
            oldest, newest = pool._idle
            connection = await pool.acquire(seconds=5, fresh=True)
            assert pool._idle == [newest]
            assert oldest.is_closed
            assert connection.usable
            pool.returned(connection)
            assert client.stats() == Stats(open=2, idle=2, in_use=0, waiting=0)

    run(scenario())


def test_a_connection_lost_before_its_first_exchange(run: Run) -> None:
    async def scenario() -> None:
        async def rude(peer: Peer) -> None:
            await peer.send(HELLO)
            await peer.gone()

        async with serving(rude) as server:
            pool = Pool(origin=server.origin, limit=1, keepalive_s=1, ssl_context=None)
            connection = await pool.acquire(seconds=5)
            await until(lambda: connection.is_closed)
            with pytest.raises(RemoteClosed, match="as soon as it was made"):
                await connection.exchange(
                    head=b"GET / HTTP/1.1\r\n\r\n", body=b"", bodiless=False, timeouts=BRIEF, give_up_at=math.inf
                )
            assert pool.stats() == NOTHING
            pool.close()

    run(scenario())
