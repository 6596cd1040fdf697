"""The basis: what of a request the default policy's beliefs are linear in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt

from router_models.neighbourhoods import Grain
from router_models.rows import Floats, rowwise


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Vectors (p,): 1 for the arm's level, memberships at each of the ``grains``, and last the match of the
    request with the arm's description. ``sizes`` are the places kept for each grain, used or not.
    """

    sizes: tuple[int, ...]
    grains: tuple[Grain, ...] = ()

    @property
    def size(self) -> int:
        """Length p of a vector."""
        return 2 + sum(self.sizes)

    def places(self, x: Floats) -> Floats:
        """The vectors (n, p) of requests (n, d), their match still zero."""
        vectors = np.zeros((len(x), self.size), dtype=np.float32)
        vectors[:, 0] = 1.0
        if not self.grains:
            return vectors
        centres, lengths = self.centres
        squares = lengths - 2.0 * rowwise(x, centres) + np.einsum("ij,ij->i", x, x)[:, None]
        start, seen = 1, 0
        for size, grain in zip(self.sizes, self.grains, strict=True):
            count = len(grain.centres)
            vectors[:, start : start + count] = grain.membership(squares[:, seen : seen + count])
            start, seen = start + size, seen + count
        return vectors

    @cached_property
    def used(self) -> npt.NDArray[np.intp]:
        """The places of a vector that are in use."""
        spans, start = [[0]], 1
        for size, grain in zip(self.sizes, self.grains, strict=bool(self.grains)):
            spans.append([*range(start, start + len(grain.centres))])
            start += size
        return np.array([*chain(*spans), self.size - 1])

    @cached_property
    def tight(self) -> Basis:
        """The same basis without places that are not in use."""
        return Basis(sizes=tuple(len(grain.centres) for grain in self.grains), grains=self.grains)

    @cached_property
    def centres(self) -> tuple[Floats, Floats]:
        """The centres of all grains (d, m), and their squared lengths (m,)."""
        centres = np.concatenate([grain.centres for grain in self.grains])
        return np.ascontiguousarray(centres.T), np.concatenate([grain.lengths for grain in self.grains])
