"""What the log committed and the learner has not folded yet: in memory as far as that goes, then in the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import sqlalchemy as sa

from gateway.history import records
from gateway.transaction import Record

#: Records that wait in memory, some 1.5 kB each; what comes beyond is read from the database once they are folded.
MOST = 4096


class Backlog:
    """A queue of records in log order, offered by the event loop and taken by one thread at a time.

    ``latest`` is the position of the last one offered. Without an ``engine`` everything waits in memory.
    """

    def __init__(self, *, engine: sa.Engine | None, most: int = MOST) -> None:
        self._engine = engine
        self._most = most
        self._queue: deque[Record] = deque()
        self._last = self.latest = 0

    def __len__(self) -> int:
        """How many wait, in memory and beyond."""
        return len(self._queue) + self.latest - self._last

    def __iter__(self) -> Iterator[Record]:
        """Those in memory, while nobody takes any."""
        return iter(self._queue)

    @property
    def near(self) -> int:
        """How many wait in memory."""
        return len(self._queue)

    @property
    def behind(self) -> bool:
        """Whether those in memory are taken, and more are in the database."""
        return not self._queue and self.latest > self._last

    def offer(self, offered: Sequence[Record]) -> None:
        """Take in what was committed; what does not fit is left where it is."""
        if not offered:
            return
        fits = self._engine is None or len(self._queue) + len(offered) <= self._most
        if fits and self.latest <= self._last:
            self._queue.extend(offered)
            self._last = offered[-1].seq
        self.latest = offered[-1].seq

    def next(self) -> Record | None:
        """The next record, which stays where it is; ``None`` where none is in memory."""
        return self._queue[0] if self._queue else None

    def take(self) -> Record:
        """Take the next record out. Raises ``IndexError`` where none is in memory."""
        return self._queue.popleft()

    def read(self) -> None:
        """Go on from the database, where those in memory are taken. Raises what the database does."""
        if self._engine is None or not self.behind:
            return
        upto = self.latest
        with self._engine.connect() as connection:
            found = list(islice(records(connection, after=self._last, upto=upto, whole=True), self._most))
        self._queue.extend(found)  # first: while the last is behind the latest, nothing that is offered goes in
        self._last = found[-1].seq if len(found) == self._most else upto
