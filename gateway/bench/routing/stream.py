"""A stream of requests: what is asked when, and what every model would make of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from gateway.bench.routing.recorded import Floats, Ints, Recorded

Mask = npt.NDArray[np.bool_]

ORDER, SCENARIO, DRAWS, WARM_ORDER, WARM_DRAWS = range(5)
"""Every seed has these streams of random numbers, independent of each other and the same for every policy."""


def generator(seed: int, purpose: int) -> np.random.Generator:
    """The random numbers of a seed for one purpose."""
    return np.random.default_rng([seed, purpose])


@dataclass(frozen=True, kw_only=True)
class Stream:
    """T requests and K models; what a policy is not told of here, it cannot know.

    ``rows`` (T,) of the data; ``quality`` and ``cost`` (T, K) of each model's answer; ``told`` (T, K) what feedback
    says of it, with ``weight`` (T, K), if it is ``heard`` (T, K) at all, ``delay`` (T,) requests later; ``present``
    (T, K) which models there are; ``tenant`` (T,) whose state chooses and learns; ``repriced`` the factors (K,) on
    all list prices that are announced before a request.
    """

    rows: Ints
    quality: Floats
    cost: Floats
    told: Floats
    weight: Floats
    heard: Mask
    delay: Ints
    present: Mask
    tenant: Ints
    repriced: dict[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Recorded, rows: Ints) -> Self:
        """The plain stream: every answer is judged at once, truly, and all models are there."""
        quality = data.quality[rows]
        return cls(
            rows=rows,
            quality=quality,
            cost=np.zeros_like(quality) if data.cost is None else data.cost[rows],
            told=quality,
            weight=np.ones_like(quality),
            heard=np.ones(quality.shape, dtype=np.bool_),
            delay=np.zeros(len(rows), dtype=np.int64),
            present=np.ones(quality.shape, dtype=np.bool_),
            tenant=np.zeros(len(rows), dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def worth(self, quality: Floats) -> Self:
        """The same requests with answers of another quality, truly told."""
        return replace(self, quality=quality, told=quality)

    def best(self) -> int:
        """The best single model in hindsight among those that are always there, or among all if none is."""
        always = self.present.all(axis=0)
        means = self.quality.mean(axis=0)
        return int(np.where(always | ~always.any(), means, -1.0).argmax())

    def oracle(self) -> Floats:
        """The best there is (T,) for each request."""
        best: Floats = np.where(self.present, self.quality, -1.0).max(axis=1)
        return best
