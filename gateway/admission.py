"""How many requests are under way at once: some more wait a bounded time, the rest are told to come back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType

from gateway.errors import Unavailable

#: When a client that was turned away may try again, in seconds.
RETRY_AFTER_S = 1.0


class Admission:
    """At most ``limit`` inside; at most ``queue`` wait, first come first served, none longer than ``wait_s``."""

    def __init__(self, *, limit: int, queue: int, wait_s: float, on_shed: Callable[[], None] = lambda: None) -> None:
        self._limit = limit
        self._queue = queue
        self._wait_s = wait_s
        self._on_shed = on_shed
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.inside = 0

    async def __aenter__(self) -> None:
        """Come in. Raises :class:`Unavailable` when there is no room in time."""
        if self.inside < self._limit:
            self.inside += 1
            return
        if len(self._waiting) >= self._queue:
            self._shed()
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._leave()  # it was given while we gave up
            elif place in self._waiting:
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                self._shed()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)  # the place goes on to whoever waited longest
                return
        self.inside -= 1

    def _shed(self) -> None:
        self._on_shed()
        raise Unavailable("The gateway has more to do than it can take on now.", retry_after_s=RETRY_AFTER_S)
