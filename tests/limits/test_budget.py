"""Budgets: what is set aside, what is spent, and when a day or a month begins anew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Limits
from gateway.limits.budget import MOST, NANO, Budget, nanodollars
from tests.limits.test_window import Time


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def budget(time: Time, **limits: float) -> Budget:
    made = Budget(clock=time)
    made.set(Limits(**limits))
    return made


ACTIONS = st.lists(
    st.tuples(st.floats(0, 40_000), st.integers(1, 40), st.floats(0, 1), st.integers(0, 20)), max_size=60
)


@given(actions=ACTIONS)
def test_whatever_comes_when_no_day_and_no_month_sees_more_spent_than_its_budget(
    actions: list[tuple[float, int, float, int]],
) -> None:
    time = Time(at("2026-01-30T21:00:00"))
    money = budget(time, usd_per_day=100 / NANO, usd_per_month=250 / NANO)
    spent: list[tuple[float, int]] = []
    held: list[int] = []
    for wait, ask, part, which in actions:
        time.now += wait
        if money.lacking(ask) is None:
            money.reserve(ask)
            held.append(ask)
        if held and which % 2:
            reserved = held.pop(which % len(held))
            cost = int(reserved * part)
            money.reserve(-reserved)
            money.spend(cost)
            spent.append((time.now, cost))
    days = {datetime.fromtimestamp(moment, UTC).date() for moment, _ in spent}
    for day in days:
        that_day = sum(c for moment, c in spent if datetime.fromtimestamp(moment, UTC).date() == day)
        month = [c for m, c in spent if datetime.fromtimestamp(m, UTC).strftime("%Y%m") == day.strftime("%Y%m")]
        assert that_day <= 100
        assert sum(month) <= 250


def test_a_day_ends_at_midnight_and_a_month_with_its_last_day() -> None:
    time = Time(at("2026-02-26T23:00:00"))
    money = budget(time, usd_per_day=1.0, usd_per_month=3.0)
    money.spend(NANO)
    assert [(each.span, each.ends_in) for each in money.standings()] == [("day", 3600.0), ("month", 49 * 3600.0)]
    lacking = money.lacking(1)
    assert lacking is not None
    assert (lacking.span, lacking.ends_in) == ("day", 3600.0)
    time.now += 3600
    assert money.lacking(NANO) is None
    money.spend(2 * NANO)
    lacking = money.lacking(1)
    assert lacking is not None
    assert (lacking.span, money.spent("day"), money.spent("month")) == ("month", 2 * NANO, 3 * NANO)
    time.now = at("2026-03-01T00:00:00")
    assert (money.lacking(NANO), money.spent("month")) == (None, 0)


def test_what_is_set_aside_yesterday_counts_today() -> None:
    time = Time(at("2026-02-27T23:59:59"))
    money = budget(time, usd_per_day=1.0)
    money.reserve(NANO)
    time.now += 2
    assert money.lacking(1) is not None
    money.reserve(-NANO)
    money.spend(NANO)
    assert money.lacking(1) is not None


def test_the_soft_stop_tells_the_part_that_is_gone() -> None:
    money = budget(Time(at("2026-02-27T12:00:00")), usd_per_day=1.0, usd_per_month=2.0, soft_stop=0.5)
    money.spend(NANO // 2 - 1)
    assert money.strained() is None
    money.reserve(NANO)
    assert money.strained() is None  # it may yet cost less
    money.spend(1)
    strained = money.strained()
    assert strained is not None
    assert (strained.span, strained.share) == ("day", 0.5)


@pytest.mark.parametrize(
    ("usd", "nano"),
    [(0.0, 0), (1e-9, 1), (1.1e-9, 2), (0.1 + 0.2, 300_000_000), (2.5e-5, 25_000), (1e300, MOST), (float("inf"), MOST)],
)
def test_money_is_rounded_up(usd: float, nano: int) -> None:
    assert nanodollars(usd) == nano
