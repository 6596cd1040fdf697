"""What is asked in one turn of the loop is answered together, and everyone gets an own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.batching import MOST, Batch

pytestmark = pytest.mark.anyio


class Halver:
    """Halves even numbers, and fails on a batch with an odd one in it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        if any(number % 2 for number in numbers):
            raise ValueError("odd")
        return [number // 2 for number in numbers]


async def test_one_turn_is_one_batch_and_the_next_turn_another() -> None:
    halver = Halver()
    batch = Batch(answer=halver)
    assert await asyncio.gather(*(batch.ask(number) for number in (2, 4, 6))) == [1, 2, 3]
    assert await batch.ask(8) == 4
    assert halver.batches == [[2, 4, 6], [8]]


async def test_batches_are_bounded() -> None:
    halver = Halver()
    batch = Batch(answer=halver)
    asked = [2 * number for number in range(2 * MOST + 3)]
    assert await asyncio.gather(*(batch.ask(number) for number in asked)) == [number // 2 for number in asked]
    assert [len(each) for each in halver.batches] == [MOST, MOST, 3]


async def test_a_faulty_question_fails_alone() -> None:
    batch = Batch(answer=Halver())
    found = await asyncio.gather(*(batch.ask(number) for number in (2, 3, 4)), return_exceptions=True)
    assert found[0] == 1
    assert isinstance(found[1], ValueError)
    assert found[2] == 2


async def test_nobody_works_for_one_who_left() -> None:
    halver = Halver()
    batch = Batch(answer=halver)
    gone, stays = batch.ask(3), batch.ask(4)
    gone.cancel()
    assert await stays == 2
    only = batch.ask(5)
    only.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert halver.batches == [[4]]
