"""The basis: what of a request the default policy's beliefs are linear in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from router_models.neighbourhoods import Grain
from router_models.rows import Floats


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
        start = 1
        for size, grain in zip(self.sizes, self.grains, strict=False):
            vectors[:, start : start + len(grain.centres)] = grain.membership(x)
            start += size
        return vectors
