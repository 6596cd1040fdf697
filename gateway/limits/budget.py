"""Money of one holder: spent in this day and this month (UTC), and set aside for requests under way.

All amounts are whole nanodollars, so that sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from gateway.config import UNLIMITED, Limits

#: Nanodollars in a dollar.
NANO = 1_000_000_000

#: Nanodollars of one answer, and of any sum that is kept, at most: nine million dollars, which floats count exactly.
MOST = 2**53

Span = Literal["day", "month"]

DAY_S = 86_400


class Standing(NamedTuple):
    """How a budget stands in its day or month; ``ends_in`` is in seconds."""

    span: Span
    limit: int
    spent: int
    reserved: int
    ends_in: float

    @property
    def share(self) -> float:
        """The part that is spent."""
        return self.spent / self.limit


class Budget:
    """Money spent, and how much may be. ``clock`` gives seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spent: dict[Span, int] = {"day": 0, "month": 0}
        self._ends: dict[Span, float] = {"day": 0.0, "month": 0.0}
        self._reserved = 0
        self.set(UNLIMITED)

    def set(self, limits: Limits) -> None:
        """Let there be other limits: what was spent stays spent."""
        given: dict[Span, float | None] = {"day": limits.usd_per_day, "month": limits.usd_per_month}
        self._limits: dict[Span, int] = {span: int(usd * NANO) for span, usd in given.items() if usd is not None}
        self._soft = {span: limit * limits.soft_stop for span, limit in self._limits.items()}

    @property
    def limited(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self._limits)

    @property
    def reserved(self) -> int:
        """What is set aside."""
        return self._reserved

    def ends(self, span: Span) -> float:
        """When the day or the month that it is ends, in seconds since the epoch."""
        self._turn()
        return self._ends[span]

    def spent(self, span: Span) -> int:
        """What was spent in the day or the month that it is."""
        self._turn()
        return self._spent[span]

    def spend(self, amount: int, *spans: Span) -> None:
        """Money was spent: in the day and the month, if nothing else is said."""
        self._turn()
        for span in spans or self._spent:
            self._spent[span] += amount

    def reserve(self, amount: int) -> None:
        """Set money aside; give it back as a negative amount."""
        self._reserved += amount

    def standings(self) -> list[Standing]:
        """How it stands in each span that has a limit."""
        now = self._turn()
        return [
            Standing(span, limit, self._spent[span], self._reserved, self._ends[span] - now)
            for span, limit in self._limits.items()
        ]

    def lacking(self, amount: int) -> Standing | None:
        """The span in which so much more is too much; the one that ends last, of two."""
        if not self._limits:
            return None
        self._turn()
        amount += self._reserved
        if all(self._spent[span] + amount <= limit for span, limit in self._limits.items()):
            return None
        over = [each for each in self.standings() if each.spent + amount > each.limit]
        return max(over, key=lambda each: each.ends_in)

    def strained(self) -> Standing | None:
        """The span that is past its soft stop, the further one of two."""
        if not self._soft or all(self._spent[span] < soft for span, soft in self._soft.items()):
            return None
        past = [each for each in self.standings() if each.spent >= self._soft[each.span]]
        return max(past, key=lambda each: each.share, default=None)

    def _turn(self) -> float:
        """Begin the day and the month that it is, where another was; returns the time."""
        now = self._clock()
        if now >= self._ends["day"]:
            self._spent["day"] = 0
            self._ends["day"] = (now // DAY_S + 1) * DAY_S
            if now >= self._ends["month"]:
                self._spent["month"] = 0
                self._ends["month"] = month_end(now)
        return now


def month_end(now: float) -> float:
    """When the month ends, in seconds since the epoch."""
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1).timestamp()


def month_start(now: float) -> float:
    """When it began."""
    return datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def nanodollars(usd: float) -> int:
    """An amount of USD, rounded up; no more than :data:`MOST`."""
    return MOST if usd >= MOST / NANO else math.ceil(usd * NANO - 1e-6)
