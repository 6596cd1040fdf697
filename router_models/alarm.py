"""What a drift detector says: something is no longer what it was."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Alarm(NamedTuple):
    """What changed, about ``since`` values ago: what is asked (``prompts``), or of one ``arm`` what its answers are
    worth, what they cost, or how long they take; a price or a latency became ``ratio`` times what it was, and is
    ``mean`` on average.
    """

    kind: Literal["prompts", "outcomes", "prices", "latencies"]
    since: int
    arm: str = ""
    ratio: float = 1.0
    mean: float = 0.0
