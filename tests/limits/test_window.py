"""Windows: never more than the limit in any 60 seconds, whatever comes when, and what is given back is there again.

What is taken counts for 60 seconds, and for as much longer as a slot may be where more comes at once: so nothing is
refused that would fit into a window that is one slot longer.
"""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from gateway.limits.rate import MINUTE_S, Rate
from gateway.limits.window import SLOT_S, Window


class Time:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


WAITS = st.one_of(st.floats(0, 40), st.floats(0, 3 * SLOT_S))
STEPS = st.lists(st.tuples(WAITS, st.integers(0, 7)), max_size=60)


@given(limit=st.integers(1, 12), steps=STEPS)
def test_no_sixty_seconds_see_more_than_the_limit(limit: int, steps: list[tuple[float, int]]) -> None:
    time = Time()
    rate = Rate(clock=time)
    rate.limit(limit)
    taken: list[tuple[float, int]] = []
    for wait, amount in steps:
        time.now += wait
        room, least = (
            limit - sum(each for at, each in taken if at >= time.now - seconds)
            for seconds in (MINUTE_S, MINUTE_S + SLOT_S + 1e-6)
        )
        left = rate.left
        assert least <= left <= room
        fits = rate.take(amount) is not None
        assert fits == (amount <= left)
        if fits:
            taken.append((time.now, amount))
    for start, _ in taken:
        assert sum(amount for at, amount in taken if start <= at <= start + MINUTE_S) <= limit


@given(limit=st.integers(1, 12), steps=st.lists(st.tuples(st.floats(SLOT_S, 40), st.integers(0, 7)), max_size=60))
def test_where_nothing_comes_within_a_slot_of_another_the_window_is_exact(
    limit: int, steps: list[tuple[float, int]]
) -> None:
    time = Time()
    rate = Rate(clock=time)
    rate.limit(limit)
    taken: list[tuple[float, int]] = []
    for wait, amount in steps:
        time.now += wait + 1e-6
        room = limit - sum(each for at, each in taken if at >= time.now - MINUTE_S)
        assert rate.left == room
        fits = rate.take(amount) is not None
        assert fits == (amount <= room)
        if fits:
            taken.append((time.now, amount))


@given(waits=st.lists(st.floats(0, 3 * SLOT_S), min_size=1, max_size=200), back=st.integers(0, 9))
def test_whatever_the_traffic_there_are_few_slots(waits: list[float], back: int) -> None:
    time = Time()
    window = Window(seconds=1, clock=time)
    for number, wait in enumerate(waits):
        time.now += wait
        window.incr("", 1)
        if number % 10 < back:
            window.change(window.newest, -1)
    assert len(window._slots) <= 1 / SLOT_S + 2
    assert window.used == sum(slot.amount for slot in window._slots)


@given(limit=st.integers(1, 12), steps=STEPS, amount=st.integers(0, 14))
def test_who_waits_as_long_as_told_gets_in(limit: int, steps: list[tuple[float, int]], amount: int) -> None:
    time = Time()
    rate = Rate(clock=time)
    rate.limit(limit)
    for wait, each in steps:
        time.now += wait
        rate.take(each)
    wait = rate.room_in(amount)
    assert 0 <= wait <= MINUTE_S + 1e-6
    time.now += wait + 1e-6
    assert (rate.take(amount) is not None) == (amount <= limit)
    time.now += rate.standing()[1] + 1e-6
    assert rate.left == limit


@given(amounts=st.lists(st.integers(0, 9), min_size=1, max_size=20), real=st.integers(0, 20))
def test_what_was_taken_is_settled_with_what_it_was(amounts: list[int], real: int) -> None:
    time = Time()
    rate = Rate(clock=time)
    rate.limit(1000)
    slots = [rate.take(amount) for amount in amounts]
    for slot, amount in zip(slots, amounts, strict=True):
        assert slot is not None
        rate.settle(slot, real - amount)
    assert rate.left == 1000 - real * len(amounts)
    time.now += MINUTE_S + 1
    assert rate.left == 1000
    assert slots[0] is not None
    rate.settle(slots[0], 500)  # long over: it takes nothing any more
    assert rate.left == 1000


def test_the_limit_changes_and_what_was_taken_stays_taken() -> None:
    rate = Rate(clock=Time())
    rate.limit(5)
    assert all(rate.take(1) for _ in range(5))
    rate.limit(8)
    assert (rate.left, rate.room_in(3)) == (3, 0.0)
    rate.limit(3)
    assert (rate.left, rate.take(1)) == (0, None)
    rate.limit(None)
    assert rate.most is None


def test_what_is_given_back_leaves_nothing_behind() -> None:
    rate = Rate(clock=Time())
    rate.limit(1)
    for _ in range(1000):
        slot = rate.take(1)
        assert slot is not None
        rate.settle(slot, -1)
    assert rate.standing() == (1, 0.0, 1)
    assert not rate._window._slots


def test_it_is_a_storage_as_the_library_knows_them_and_starts_no_thread() -> None:
    before = threading.active_count()
    window = Window(seconds=MINUTE_S, clock=Time(10.0))
    limiter, item = MovingWindowRateLimiter(window), RateLimitItemPerMinute(3)
    assert window.check()
    assert [limiter.hit(item) for _ in range(4)] == [True, True, True, False]
    assert not limiter.test(item)
    assert limiter.get_window_stats(item) == (70.0, 0)
    assert (window.get(""), window.get_expiry("")) == (3, 70.0)
    assert window.incr("", MINUTE_S, 2) == 5
    assert window.reset() == 5
    assert limiter.get_window_stats(item) == (70.0, 3)
    assert threading.active_count() == before
