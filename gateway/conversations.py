"""Who holds a conversation: the model that answered it last, and so has read its beginning.

A conversation is known by the session that a client names, and within it by its system prompt and first user message:
so sub-agents, which share a session, keep models of their own. Without a session it is known by the caller's key, the
system prompt and the first user message, once there is an answer in it. All of that is hashed, kept in memory only,
for each tenant by itself, bounded in number and in idle time: a restart forgets it, and conversations are held anew.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from gateway.keys import Principal
from gateway.request import Reading


class Held(NamedTuple):
    """``model`` has read ``tokens`` of a conversation of so many user ``turns``, last at this time in seconds."""

    model: str
    tokens: int
    turns: int
    at: float


class Conversations:
    """The holders of at most twice ``most`` conversations a tenant; those idle for longer than ``idle_s`` count no
    more. ``clock`` is monotonic, in seconds.
    """

    def __init__(self, *, most: int, idle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._idle_s = idle_s
        self._clock = clock
        self._shelves: dict[str, Shelf] = {}

    def __len__(self) -> int:
        return sum(len(shelf) for shelf in self._shelves.values())

    def holder(self, principal: Principal, reading: Reading, session: bytes) -> Held | None:
        """Who holds this request's conversation, and how much of this prompt it has read; ``None`` if nobody does."""
        shelf = self._shelves.get(principal.tenant)
        if shelf is None or not (session or reading.answered):
            return None
        after = self._clock() - self._idle_s
        held = shelf.get(_strand(principal, reading, session))
        if held is not None and held.at > after:
            return Held(held.model, min(held.tokens, reading.prompt_tokens), held.turns, held.at)
        held = shelf.get(hash((session, reading.system))) if session else None
        return held._replace(tokens=0) if held is not None and held.at > after else None

    def answered(self, principal: Principal, reading: Reading, session: bytes, *, model: str, tokens: int) -> None:
        """``model`` answered: it holds the conversation now, all ``tokens`` of it."""
        if not (self._most and reading.opening):
            return
        shelf = self._shelves.get(principal.tenant)
        if shelf is None:
            shelf = self._shelves[principal.tenant] = Shelf(most=self._most)
        held = Held(model, tokens, reading.turns, self._clock())
        shelf.put(_strand(principal, reading, session), held)
        if session:
            key = hash((session, reading.system))
            longest = shelf.get(key)
            if longest is None or held.turns >= longest.turns or longest.at <= held.at - self._idle_s:
                shelf.put(key, held)


class Shelf:
    """What was put here last, by its key: ``most`` that came once, and ``most`` that came again.

    So what never comes again, however much, does not push out what does (Karedla et al. 1994, segmented LRU).
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._once: OrderedDict[int, Held] = OrderedDict()
        self._again: OrderedDict[int, Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._once) + len(self._again)

    def get(self, key: int) -> Held | None:
        """What was put under this key."""
        return self._again.get(key) or self._once.get(key)

    def put(self, key: int, held: Held) -> None:
        """Keep it, at the cost of what has not come for longest."""
        again = self._once.pop(key, None) is not None or key in self._again
        part = self._again if again else self._once
        part[key] = held
        part.move_to_end(key)
        if len(part) > self._most:
            part.popitem(last=False)


def _strand(principal: Principal, reading: Reading, session: bytes) -> int:
    return hash((session or principal.name, reading.opening))
