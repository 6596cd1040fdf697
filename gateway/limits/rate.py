"""So many a minute: requests or tokens of one holder, in any 60 seconds."""

from __future__ import annotations

from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from gateway.limits.window import Entry, Window

#: Length of the window, in seconds.
MINUTE_S = 60


class Minute(RateLimitItemPerMinute):
    """So many a minute, in a window of its own, where nothing needs a name."""

    def key_for(self, *identifiers: object) -> str:
        """Any name will do."""
        return ""


class Rate:
    """``most`` is the limit, ``None`` for none; when it changes, what was taken stays taken."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._window = Window(seconds=MINUTE_S, clock=clock)
        self._limiter = MovingWindowRateLimiter(self._window)
        self._item: Minute | None = None

    @property
    def most(self) -> int | None:
        """The limit."""
        return None if self._item is None else self._item.amount

    @most.setter
    def most(self, most: int | None) -> None:
        self._item = None if most is None else Minute(most)

    def take(self, amount: int) -> Entry | None:
        """Take, if that fits; to be settled by its entry."""
        if self._item is None or not self._limiter.hit(self._item, cost=amount):
            return None
        return self._window.newest

    def settle(self, entry: Entry, amount: int) -> None:
        """What was taken was another amount."""
        self._window.change(entry, amount)

    def room_in(self, amount: int) -> float:
        """Seconds until so much more fits; those of a whole window where it never does."""
        return self._window.room_in(amount, self.most or 0)

    @property
    def left(self) -> int:
        """How much fits now."""
        return self.standing()[0]

    def standing(self) -> tuple[int, float]:
        """How much fits now, and the seconds until all of it does again, if nothing more is taken."""
        used, reset_in = self._window.standing()
        return max(0, (self.most or 0) - used), reset_in
