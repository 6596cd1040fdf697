"""Change of what is asked: the shares of neighbourhoods among recent requests, against those before."""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.neighbourhoods import Grain, grain
from router_models.policy import Arrays, InvalidState, Vector
from router_models.rows import Floats

FIRST: Final = 512
CELLS: Final = 16
"""Requests that are clustered once, and into how many cells at most."""

BLOCK: Final = 64
"""Requests counted together: the shares are looked at after each block."""

WINDOWS: Final = (4, 16)
"""Latest blocks that are held against those before: few, to be quick, and more, to see less."""

REFERENCE: Final = 16
MOST: Final = 128
"""Blocks that it takes to compare with, and blocks kept."""

THRESHOLD: Final = 60.0
"""Of a chi-squared statistic of at most 15 degrees of freedom: some 2e-7 at each look were they independent."""

SOFTNESS: Final = 0.25


class Prompts:
    """Takes features (d,) of requests in order.

    Cells are clusters of the first requests, and frozen. A two-sample chi-squared statistic, divided by how much more
    the blocks vary than independent draws would (requests come in conversations), tells when recent requests are
    others than those before. After a change it begins anew.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._first: list[Floats] = []
        self._cells: Grain | None = None
        self._count = np.zeros(0)
        self._blocks = np.zeros((0, 0))

    def update(self, features: Floats) -> int:
        """Take one request; if what is asked has changed, since about how many requests, else 0."""
        if self._cells is None:
            self._gather(features)
            return 0
        self._count[int((self._cells.lengths - 2.0 * (self._cells.centres @ features)).argmin())] += 1.0
        if self._count.sum() < BLOCK:
            return 0
        self._blocks = np.concatenate([self._blocks, self._count[None]])[-MOST:]
        self._count = np.zeros_like(self._count)
        for window in WINDOWS:
            if len(self._blocks) - window >= REFERENCE and statistic(self._blocks, window) > THRESHOLD:
                self._begin()
                return window * BLOCK
        return 0

    def _gather(self, features: Floats) -> None:
        self._first.append(features)
        if len(self._first) == FIRST:
            self._know(grain(np.array(self._first), count=CELLS, softness=SOFTNESS))

    def _know(self, cells: Grain) -> None:
        self._first, self._cells = [], cells
        self._count, self._blocks = np.zeros(len(cells.centres)), np.zeros((0, len(cells.centres)))

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        none = np.zeros((0, 0), dtype=np.float32)
        return {
            "first": np.array(self._first) if self._first else none,
            "centres": none if self._cells is None else self._cells.centres,
            "count": self._count.copy(),
            "blocks": self._blocks,
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or :class:`InvalidState`."""
        first, centres = (np.array(arrays[name], dtype=np.float32) for name in ("first", "centres"))
        count, blocks = (np.array(arrays[name], dtype=np.float64) for name in ("count", "blocks"))
        fit = first.ndim == centres.ndim == 2 and count.shape == blocks.shape[1:] == centres.shape[:1]
        if (
            not fit
            or (len(first) and len(centres))
            or not all(np.isfinite(e).all() for e in (first, centres, count, blocks))
        ):
            raise InvalidState("these arrays do not tell what was asked")
        self._begin()
        self._first = list(first)
        if len(centres):
            lengths = np.einsum("ij,ij->i", centres, centres)
            self._know(Grain(centres=centres, lengths=lengths, spread=1.0, softness=SOFTNESS))
            self._count, self._blocks = count, blocks


def statistic(blocks: Vector, window: int) -> float:
    """Two-sample chi-squared of the counts (n, M) in the last ``window`` blocks and in those before, for M cells."""
    before, recent = blocks[:-window], blocks[-window:].sum(axis=0)
    reference = before.sum(axis=0)
    n, m = recent.sum(), reference.sum()
    pooled = (recent + reference + 0.5) / (n + m + 0.5 * len(recent))
    gap = ((recent / n - reference / m) ** 2 / (pooled * (1.0 / n + 1.0 / m))).sum()
    usual = (reference + 0.5) / (m + 0.5 * len(recent))
    sizes = before.sum(axis=1, keepdims=True)
    spread = ((before - sizes * usual) ** 2 / (sizes * usual)).sum(axis=1).mean() / max(len(recent) - 1, 1)
    return float(gap / max(spread, 1.0))
