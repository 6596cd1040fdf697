"""A deadline that is cheap to move."""

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """Calls `expired` once the time set last has passed, in the loop's seconds.

    Moving it later or clearing it only writes a number: the loop's one timer stays where it is and,
    when it fires early, is set again. So a request normally costs no timer at all.
    """

    __slots__ = ("_at", "_expired", "_fires_at", "_loop", "_timer")

    def __init__(self, *, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._at = math.inf
        self._fires_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Move the deadline; infinity clears it."""
        self._at = at
        if at < self._fires_at:
            if self._timer is not None:
                self._timer.cancel()
            self._fires_at = at
            self._timer = self._loop.call_at(at, self._fire)

    def cancel(self) -> None:
        """Clear the deadline and let the timer go."""
        self._at = self._fires_at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        at = self._at
        self.cancel()
        if at > self._loop.time():
            self.set(at)
        else:
            self._expired()
