"""Long work in a thread beside the event loop, done so that the loop hardly notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: How long is worked at a time, and how long the processor is then left to others, in seconds.
WORK_S, REST_S = 0.001, 0.0002


class Abandoned(RuntimeError):
    """The work is no longer wanted."""


class Breath:
    """Called often by the work: rests now and then, so that other threads get their turn."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._rested = clock()
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Have the work end at its next breath."""
        self._abandoned.set()

    def __call__(self) -> None:
        """Breathe. Raises :class:`Abandoned`."""
        if self._abandoned.is_set():
            raise Abandoned
        if self._clock() - self._rested > WORK_S:
            time.sleep(REST_S)
            self._rested = self._clock()
