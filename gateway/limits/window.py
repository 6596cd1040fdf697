"""A moving window: what was taken in the last so many seconds, to the one.

This is where the library ``limits`` keeps its counts, in place of its own memory: that begins a thread after each
request, keeps an object for every token, and cannot give anything back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from limits.storage import MovingWindowSupport, Storage


class Entry:
    """Something taken; ``live`` while it counts."""

    __slots__ = ("amount", "at", "live")

    def __init__(self, *, at: float, amount: int) -> None:
        self.at = at
        self.amount = amount
        self.live = True


class Window(Storage, MovingWindowSupport):
    """One holder's window of one kind, whatever name the library gives it; ``clock`` is monotonic, in seconds."""

    STORAGE_SCHEME = None

    def __init__(self, *, seconds: int, clock: Callable[[], float]) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._entries: deque[Entry] = deque()
        self._used = 0

    @property
    def newest(self) -> Entry:
        """What was taken last."""
        return self._entries[-1]

    @property
    def used(self) -> int:
        """How much is taken now."""
        self._sweep()
        return self._used

    def change(self, entry: Entry, amount: int) -> None:
        """Let it have been another amount; what was taken last and was nothing is forgotten."""
        if not entry.live:
            return
        self._used += amount - entry.amount
        entry.amount = amount
        if not amount and self.newest is entry:
            self._entries.pop()
            entry.live = False

    def room_in(self, amount: int, limit: int) -> float:
        """Seconds until so much more fits; those of a whole window where it never does."""
        over = self.used + amount - limit
        if over <= 0:
            return 0.0
        for entry in self._entries:
            over -= entry.amount
            if over <= 0:
                return max(0.0, entry.at + self._seconds - self._clock())
        return float(self._seconds)

    def standing(self) -> tuple[int, float]:
        """How much is taken now, and the seconds until nothing is, if nothing more is taken."""
        now = self._sweep()
        return self._used, (self._entries[-1].at + self._seconds - now if self._entries else 0.0)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take, if that fits."""
        now = self._sweep()
        if self._used + amount > limit:
            return False
        self._entries.append(Entry(at=now, amount=amount))
        self._used += amount
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest was taken, and how much there is."""
        now = self._sweep()
        return (self._entries[0].at if self._entries else now), self._used

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What can go wrong here: nothing."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Take, whether or not that fits."""
        self._entries.append(Entry(at=self._sweep(), amount=amount))
        self._used += amount
        return self._used

    def get(self, key: str) -> int:
        """How much there is."""
        return self.used

    def get_expiry(self, key: str) -> float:
        """When nothing will be left of it."""
        return self._clock() + self.standing()[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def clear(self, key: str) -> None:
        """Forget all of it."""
        while self._entries:
            self._entries.popleft().live = False
        self._used = 0

    def reset(self) -> int:
        """Forget all of it; returns how many there were."""
        count = len(self._entries)
        self.clear("")
        return count

    def _sweep(self) -> float:
        """Let go of what is too old; returns the time."""
        now = self._clock()
        past = now - self._seconds
        while self._entries and self._entries[0].at < past:
            gone = self._entries.popleft()
            gone.live = False
            self._used -= gone.amount
        return now
