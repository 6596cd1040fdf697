"""A circuit breaker: after failures in a row an upstream rests, longer each time, then one request tries it again."""

from __future__ import annotations

from collections.abc import Callable

#: Failures in a row that open the circuit.
THRESHOLD = 3

#: First and longest rest, in seconds.
FIRST_REST_S, LONGEST_REST_S = 1.0, 8.0


class Breaker:
    """Health of one upstream; ``clock`` is monotonic, in seconds. It is ``open`` once it has failed too often, and not
    answered since.

    Where it is ``probed``, no request tries an open circuit before a probe has found its server alive.
    """

    def __init__(self, *, clock: Callable[[], float], probed: bool = False) -> None:
        self._clock = clock
        self._probed = probed
        self.open = False
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._until = 0.0
        self._alive = True
        self._trying = False

    @property
    def closed(self) -> bool:
        """Whether requests may go there now: all of them, or after a rest the one that tries it."""
        return not self.open or (self._alive and not self._trying and self._clock() >= self._until)

    def asked(self) -> None:
        """A request goes there."""
        self._trying = self.open

    def left(self) -> None:
        """It came back without a verdict: the client went away, or another model was quicker."""
        self._trying = False

    def succeeded(self) -> None:
        """An answer came: all is well."""
        self.open = False
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._trying = False

    def failed(self) -> None:
        """A failure that is the upstream's own."""
        self._failures += 1
        self.open = self._failures >= THRESHOLD
        self._trying = False
        if self.open:
            self._until = self._clock() + self._rest_s
            self._rest_s = min(LONGEST_REST_S, self._rest_s * 2)
            self._alive = not self._probed

    def found_alive(self) -> None:
        """A probe was answered."""
        self._alive = True
