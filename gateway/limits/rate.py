"""So many a minute: requests or tokens of one holder, in any 60 seconds."""

from __future__ import annotations

from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from gateway.limits.window import Entry, Window

#: Length of the window, in seconds.
MINUTE_S = 60


class Rate:
    """``most`` is the limit, ``None`` for none; when it changes, what was taken stays taken."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._window = Window(seconds=MINUTE_S, clock=clock)
        self._limiter = MovingWindowRateLimiter(self._window)
        self._item: RateLimitItemPerMinute | None = None

    @property
    def most(self) -> int | None:
        """The limit."""
        return None if self._item is None else self._item.amount

    @most.setter
    def most(self, most: int | None) -> None:
        self._item = None if most is None else RateLimitItemPerMinute(most)

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
        return max(0, (self.most or 0) - self._window.used)

    @property
    def reset_in(self) -> float:
        """Seconds until all of it fits again, if nothing more is taken."""
        return self._window.reset_in()
