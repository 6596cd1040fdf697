"""A circuit breaker: after failures in a row an upstream rests, longer each time, then gets one trial."""

from __future__ import annotations

from collections.abc import Callable

#: Failures in a row that open the circuit.
THRESHOLD = 3

#: First and longest rest, in seconds.
FIRST_REST_S, LONGEST_REST_S = 1.0, 8.0


class Breaker:
    """Passive health of one upstream; ``clock`` is monotonic, in seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._until = 0.0

    @property
    def closed(self) -> bool:
        """Whether requests may go there now."""
        return self._failures < THRESHOLD or self._clock() >= self._until

    def succeeded(self) -> None:
        """An answer came: all is well."""
        self._failures = 0
        self._rest_s = FIRST_REST_S

    def failed(self) -> None:
        """A failure that is the upstream's own."""
        self._failures += 1
        if self._failures >= THRESHOLD:
            self._until = self._clock() + self._rest_s
            self._rest_s = min(LONGEST_REST_S, self._rest_s * 2)
