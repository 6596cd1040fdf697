"""Many tasks, a bad upstream and impatient callers: at the end nothing is in use and nobody waits."""

import asyncio
import random
from collections import Counter

from gateway.transport import Client, Origin, Timeouts, TransportError

from .conftest import Run
from .servers import Peer, serving, until

OK = b"HTTP/1.1 200 OK\r\n"
TIMEOUTS = Timeouts(connect=0.2, first_byte=0.05, idle=0.05, total=2)


class Moody:
    """An upstream that answers each request well, late, in half, or not at all; bodies tell the request's number."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, _ = await peer.request()
            number = head.split(b" ")[1][1:]
            mood = self._random.random()
            if mood < 0.5:
                await peer.send(OK + b"Content-Length: %d\r\n\r\n%b" % (len(number), number))
            elif mood < 0.75:
                chunks = [b"%x\r\n%b\r\n" % (1, number[place : place + 1]) for place in range(len(number))]
                await peer.send(OK + b"Transfer-Encoding: chunked\r\n\r\n", *chunks)
                await asyncio.sleep(self._random.random() * 0.01)
                await peer.send(b"0\r\n\r\n")
            elif mood < 0.8:
                await asyncio.sleep(0.2)
            elif mood < 0.85:
                await peer.send(OK + b"Content-Length: 100\r\n\r\nhalf")
                return
            elif mood < 0.9:
                peer.reset()
                return
            elif mood < 0.95:
                await peer.send(OK + b"Content-Length: %d\r\n\r\n%b" % (len(number), number) + b"too much")
            else:
                await peer.send(b"garbage\r\n\r\n")


async def _ask(client: Client, origin: Origin, number: int, outcomes: Counter[str]) -> None:
    try:
        async with await client.request(b"GET", origin, b"/%d" % number, [], timeouts=TIMEOUTS) as response:
            assert await response.read(limit=1000) == b"%d" % number
        outcomes["answered"] += 1
    except TransportError as error:
        outcomes[type(error).__name__] += 1
    except asyncio.CancelledError:
        outcomes["cancelled"] += 1
        raise


def test_nothing_leaks_and_no_answer_goes_astray(run: Run) -> None:
    async def scenario() -> None:
        chance = random.Random(7)
        outcomes: Counter[str] = Counter()
        async with serving(Moody(seed=11)) as server, Client(limit_per_origin=16, keepalive_s=0.05) as client:

            async def caller(numbers: range) -> None:
                for number in numbers:
                    asking = asyncio.create_task(_ask(client, server.origin, number, outcomes))
                    if chance.random() < 0.3:
                        await asyncio.sleep(chance.choice([0, 0, 0.001, 0.005, 0.02]))
                        asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
                    if not asking.cancelled():
                        asking.result()
                    assert client.stats().open <= 16

            await asyncio.gather(*[caller(range(start, start + 40)) for start in range(0, 48 * 40, 40)])
            stats = client.stats()
            assert (stats.in_use, stats.waiting) == (0, 0)
            await until(lambda: server.open == client.stats().open)
            await until(lambda: client.stats().open == 0)
            await server.all_gone()
        assert outcomes["answered"] > 100
        assert outcomes["cancelled"] > 100
        assert {"RemoteClosed", "ConnectionReset", "ReadTimeout", "ProtocolViolation"} <= set(outcomes)

    run(scenario())
