"""What can be set of the default policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

LARGEST: Final = 1000
"""Largest deviation, softness, scale and thrift; the inverse of the smallest deviation and softness."""

MOST_CELLS: Final = 128
"""Neighbourhoods of either size that there may be."""

MOST_OUTCOMES: Final = 131_072
"""Outcomes that may be kept in mind."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Where each default was chosen stands in README.md beside this file.

    ``exploration`` is the mass spread evenly over the eligible arms, ``scale`` multiplies posterior deviations
    when sampling, ``cap`` is the largest share of an arm, ``budget`` the USD a request may cost on average.
    ``noise`` is the first guess of an outcome's deviation around its mean; in multiples of it come the prior's
    deviations: of an arm's ``level``, of its ``skill`` in a neighbourhood, of a neighbourhood's ``ease``, of the
    ``trust`` in descriptions overall and of the ``doubt`` in one arm's. Skill is then adapted to the evidence
    if ``adapt``. There are at most ``coarse`` and ``fine`` neighbourhoods with edges as soft as ``softness``;
    the last ``memory`` outcomes count.
    """

    exploration: float = 0.01
    scale: float = 0.6
    thrift: float = 0.3
    cap: float | None = 0.6
    budget: float | None = None
    noise: float = 0.45
    level: float = 0.3
    skill: float = 0.22
    ease: float = 0.45
    trust: float = 1.0
    doubt: float = 1.0
    adapt: bool = True
    coarse: int = 24
    fine: int = 38
    softness: float = 0.25
    memory: int = 8192

    def __post_init__(self) -> None:
        if not 0 <= self.exploration <= 1:
            raise ValueError("exploration is a share, in [0, 1]")
        if self.cap is not None and not 0 < self.cap <= 1:
            raise ValueError("cap is a share in (0, 1], or None")
        if self.budget is not None and not self.budget > 0:
            raise ValueError("budget is positive, or None")
        positive = (self.noise, self.level, self.skill, self.ease, self.trust, self.doubt, self.softness)
        if not all(1.0 / LARGEST <= value <= LARGEST for value in positive):
            raise ValueError(f"deviations and softness are positive, from 1/{LARGEST} to {LARGEST}")
        if not (0 <= self.scale <= LARGEST and 0 <= self.thrift <= LARGEST):
            raise ValueError(f"scale and thrift are not negative, and at most {LARGEST}")
        for most, counts in ((MOST_CELLS, (self.coarse, self.fine)), (MOST_OUTCOMES, (self.memory,))):
            if not all(isinstance(count, int) and 1 <= count <= most for count in counts):
                raise ValueError(f"coarse and fine are whole numbers from 1 to {MOST_CELLS}, memory to {MOST_OUTCOMES}")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The constructor's arguments, JSON-ready."""
        return asdict(self)
