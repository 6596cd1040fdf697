"""So many a minute: requests or tokens of one holder, in any 60 seconds."""

from __future__ import annotations

from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from gateway.limits.window import Slot, Window

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
        self.most: int | None = None

    def limit(self, most: int | None) -> None:
        """Let there be another limit."""
        self._item = None if most is None else Minute(most)
        self.most = most

    def take(self, amount: int) -> Slot | None:
        """Take, if that fits; to be settled by its slot."""
        if self._item is None or not self._limiter.hit(self._item, cost=amount):
            return None
        return self._window.newest

    def settle(self, slot: Slot, difference: int) -> None:
        """What was taken was so much more, or less."""
        self._window.change(slot, difference)

    def room_in(self, amount: int) -> float:
        """Seconds until so much more fits; those of a whole window where it never does."""
        return self._window.room_in(amount, self.most or 0)

    @property
    def left(self) -> int:
        """How much fits now."""
        return self.standing()[0]

    def standing(self) -> tuple[int, float, int]:
        """How much fits now, the seconds until all of it does again, if nothing more is taken, and how much that is."""
        used, reset_in = self._window.standing()
        most = self.most or 0
        return (most - used if used < most else 0), reset_in, most
