import asyncio
import math

from gateway.transport.deadline import Deadline

from .conftest import Run


def test_it_expires_once_and_not_early(run: Run) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        expired: list[float] = []
        deadline = Deadline(loop=loop, expired=lambda: expired.append(loop.time()))
        at = loop.time() + 0.02
        deadline.set(at)
        await asyncio.sleep(0.08)
        assert len(expired) == 1
        assert expired[0] >= at

    run(scenario())


def test_it_moves_later_and_sooner_and_can_be_cleared(run: Run) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        expired: list[float] = []
        deadline = Deadline(loop=loop, expired=lambda: expired.append(loop.time()))
        start = loop.time()
        deadline.set(start + 0.01)
        deadline.set(start + 0.05)
        await asyncio.sleep(0.03)
        assert not expired
        deadline.set(math.inf)
        await asyncio.sleep(0.05)
        assert not expired
        deadline.set(loop.time() + 60)
        deadline.set(loop.time() + 0.01)
        await asyncio.sleep(0.04)
        assert len(expired) == 1
        deadline.set(loop.time() + 0.01)
        deadline.cancel()
        await asyncio.sleep(0.03)
        assert len(expired) == 1

    run(scenario())
