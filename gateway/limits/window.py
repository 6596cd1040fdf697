"""A moving window: what was taken in the last so many seconds, and never less than that.

This is where the library ``limits`` keeps its counts, in place of its own memory: that begins a thread after each
request, keeps an object for every token, and cannot give anything back.

What is taken within ``SLOT_S`` shares a slot, which counts until its last part is old enough. So what is taken counts
for the window's length at least, and for ``SLOT_S`` longer at most; for not an instant longer, where nothing else comes
within ``SLOT_S``. A window of a minute is 1,200 slots at most, whatever the traffic.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Final

from limits.storage import MovingWindowSupport, Storage

SLOT_S: Final = 0.05
"""Longest time, in seconds, whose takings share a slot."""


class Slot:
    """What was taken from ``begun`` to ``last``, in seconds; ``live`` while it counts."""

    __slots__ = ("amount", "begun", "last", "live")

    def __init__(self, *, begun: float, amount: int) -> None:
        self.amount = amount
        self.begun = self.last = begun
        self.live = True


class Window(Storage, MovingWindowSupport):
    """One holder's window of one kind, whatever name the library gives it; ``clock`` is monotonic, in seconds."""

    STORAGE_SCHEME = None

    def __init__(self, *, seconds: int, clock: Callable[[], float]) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._slots: deque[Slot] = deque()
        self._used = 0

    @property
    def newest(self) -> Slot:
        """Where to find what was taken last."""
        return self._slots[-1]

    @property
    def used(self) -> int:
        """How much is taken now."""
        self._sweep()
        return self._used

    def change(self, slot: Slot, difference: int) -> None:
        """Let so much more have been taken in a slot; what was nothing at the end is forgotten."""
        if not slot.live:
            return
        self._used += difference
        slot.amount += difference
        while self._slots and not self._slots[-1].amount:
            self._slots.pop().live = False

    def room_in(self, amount: int, limit: int) -> float:
        """Seconds until so much more fits; those of a whole window where it never does."""
        over = self.used + amount - limit
        if over <= 0:
            return 0.0
        for slot in self._slots:
            over -= slot.amount
            if over <= 0:
                return max(0.0, slot.last + self._seconds - self._clock())
        return float(self._seconds)

    def standing(self) -> tuple[int, float]:
        """How much is taken now, and the seconds until nothing is, if nothing more is taken."""
        now = self._sweep()
        return self._used, (self._slots[-1].last + self._seconds - now if self._slots else 0.0)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take, if that fits."""
        now = self._sweep()
        if self._used + amount > limit:
            return False
        self._used += amount
        slots = self._slots
        if slots and now - slots[-1].begun < SLOT_S:
            slot = slots[-1]
            slot.last = now
            slot.amount += amount
        else:
            slots.append(Slot(begun=now, amount=amount))
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest was taken, and how much there is."""
        now = self._sweep()
        return (self._slots[0].begun if self._slots else now), self._used

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What can go wrong here: nothing."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Take, whether or not that fits."""
        self.acquire_entry(key, sys.maxsize, expiry, amount)
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
        while self._slots:
            self._slots.popleft().live = False
        self._used = 0

    def reset(self) -> int:
        """Forget all of it; returns how much there was."""
        count = self._used
        self.clear("")
        return count

    def _sweep(self) -> float:
        """Let go of what is too old; returns the time."""
        now = self._clock()
        past = now - self._seconds
        while self._slots and self._slots[0].last < past:
            gone = self._slots.popleft()
            gone.live = False
            self._used -= gone.amount
        return now
