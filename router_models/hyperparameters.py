"""What can be set of the default policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
        if not all(0 < value < math.inf for value in positive) or not (self.scale >= 0 and self.thrift >= 0):
            raise ValueError("deviations and softness are positive, scale and thrift are not negative")
        counts = (self.coarse, self.fine, self.memory)
        if not all(isinstance(count, int) and count >= 1 for count in counts):
            raise ValueError("coarse, fine and memory are whole numbers, at least 1")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The constructor's arguments, JSON-ready."""
        return asdict(self)
