"""Who comes in, who waits and who is turned away."""

from __future__ import annotations

import asyncio

import pytest

from gateway.admission import Admission
from gateway.errors import Unavailable


async def stay(admission: Admission, release: asyncio.Event, order: list[int], number: int) -> None:
    async with admission:
        order.append(number)
        await release.wait()


def test_as_many_as_there_is_room_for_then_a_queue_then_no_more() -> None:
    async def check() -> None:
        shed = 0

        def count() -> None:
            nonlocal shed
            shed += 1

        admission, release, order = Admission(limit=2, queue=1, wait_s=30, on_shed=count), asyncio.Event(), list[int]()
        tasks = [asyncio.create_task(stay(admission, release, order, number)) for number in range(4)]
        await asyncio.sleep(0.01)
        assert order == [0, 1]
        assert admission.inside == 2
        with pytest.raises(Unavailable) as caught:
            await tasks[3]
        assert caught.value.retry_after_s == 1.0
        assert shed == 1
        release.set()
        await asyncio.gather(*tasks[:3])
        assert order == [0, 1, 2]
        assert admission.inside == 0

    asyncio.run(check())


def test_nobody_waits_for_ever() -> None:
    async def check() -> None:
        admission, release = Admission(limit=1, queue=5, wait_s=0.02), asyncio.Event()
        inside = asyncio.create_task(stay(admission, release, [], 0))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await stay(admission, release, [], 1)
        release.set()
        await inside
        assert admission.inside == 0
        await stay(admission, release, [], 2)

    asyncio.run(check())


@pytest.mark.parametrize("turns", range(4))
def test_a_client_that_leaves_the_queue_takes_no_place_with_it(turns: int) -> None:
    async def check() -> None:
        admission, release, order = Admission(limit=1, queue=5, wait_s=30), asyncio.Event(), list[int]()
        tasks = [asyncio.create_task(stay(admission, release, order, number)) for number in range(3)]
        await asyncio.sleep(0)
        release.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        tasks[1].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert found[0] is found[2] is None
        assert order in ([0, 2], [0, 1, 2])
        assert admission.inside == 0

    asyncio.run(check())
