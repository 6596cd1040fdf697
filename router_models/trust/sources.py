"""The sources: a row of figures for each, over the arms that they have rated."""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.checks import restored
from router_models.policy import Arrays, Vector
from router_models.trust.names import read, written

RECENT: Final = 0.98
"""What is known of a source and an arm keeps of its worth with each new outcome of the two: the last fifty or so."""

TOLD, REWARDS, EXPECTED, UP, DOWN = range(5)
"""Planes of ``counts``: how many outcomes, the sum of what they said, the sum of what was expected of them; and what
audits of them say, as log-likelihood ratios of wanting the arm up, or down, against being honest."""

PROOF: Final = slice(UP, DOWN + 1)
"""The last two of them."""

_FIGURES: Final = ("seen", "contrary", "due", "honesty")


class Sources:
    """N sources by name, and K arms: ``counts`` (5, N, K); ``contrary`` (N,) the log-likelihood ratio of meaning the
    opposite of what one says, ``due`` (N,) when the next outcome would be on time, in seconds, ``honesty`` (N,) the
    posterior probability of it, ``seen`` (N,) when each was heard last, counted in outcomes. Arrays have spare rows.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.names: list[str] = []
        self.clock = 0
        self.counts = np.zeros((5, 0, 0))
        self.seen, self.contrary = np.zeros(0), np.zeros(0)
        self.due, self.honesty = np.zeros(0), np.zeros(0)

    def insert(self) -> None:
        """Make room for one more arm."""
        self.counts = np.concatenate([self.counts, np.zeros((*self.counts.shape[:2], 1))], axis=2)

    def row(self, name: str, *, honesty: float, most: int) -> int:
        """The row of a source, which has just spoken; a new one is as honest as people are.

        Of more than ``most`` the one that was silent for longest is forgotten.
        """
        self.clock += 1
        row = self.rows.get(name)
        if row is None:
            row = self.rows[name] = self._place(name, most)
            self.counts[:, row] = self.contrary[row] = self.due[row] = 0.0
            self.honesty[row] = honesty
        self.seen[row] = self.clock
        return row

    def _place(self, name: str, most: int) -> int:
        used = len(self.names)
        if used < most:
            if used == len(self.seen):
                self._grow()
            self.names.append(name)
            return used
        row = int(self.seen[:used].argmin())
        del self.rows[self.names[row]]
        self.names[row] = name
        return row

    def _grow(self) -> None:
        more = max(len(self.seen), 64)
        self.counts = np.concatenate([self.counts, np.zeros((5, more, self.counts.shape[2]))], axis=1)
        for figure in _FIGURES:
            setattr(self, figure, np.concatenate([getattr(self, figure), np.zeros(more)]))

    def told(self) -> Vector:
        """How many outcomes are known of each source, old ones counting less (N,)."""
        found: Vector = self.counts[TOLD, : len(self.names)].sum(axis=1)
        return found

    def arrays(self) -> Arrays:
        """Everything, as named arrays; ``names`` (N,) in the order of the rows."""
        used = len(self.rows)
        figures = {name: getattr(self, name)[:used].copy() for name in _FIGURES}
        names = written(self.names)
        return {**figures, "names": names, "counts": self.counts[:, :used].copy(), "clock": np.array(self.clock)}

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms. Raises ``KeyError`` or ``ValueError``."""
        self.names, self.clock = read(arrays["names"]), int(arrays["clock"])
        self.rows = {name: row for row, name in enumerate(self.names)}
        if len(self.rows) != len(self.names):
            raise ValueError("sources have unique names")
        self.counts = restored(arrays, "counts", (5, len(self.names), arms))
        for figure in _FIGURES:
            setattr(self, figure, restored(arrays, figure, (len(self.names),)))
