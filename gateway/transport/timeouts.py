"""How long each step of an exchange may take."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Limits in seconds, above zero and finite.

    connect: waiting for a place in the pool and making a connection, together.
    first_byte: from the request sent to the response's head complete.
    idle: between two pieces of the body; also between two steps of a large request going out.
    total: the whole exchange up to the body's end, or None for no such limit.
    """

    connect: float = 5.0
    first_byte: float = 60.0
    idle: float = 60.0
    total: float | None = None

    def __post_init__(self) -> None:
        for name in ("connect", "first_byte", "idle", "total"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"time-out {name!r} must be above zero and finite, not {value!r}")
