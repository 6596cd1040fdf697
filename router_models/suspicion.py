"""How distrustful to be of those who tell outcomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """How distrustful to be.

    ``share`` is the first guess of the share of dishonest sources; below an honesty of ``least`` a source's outcomes
    are withheld; a source that has given ``probation`` outcomes counts half of what it will; ``rate`` are the outcomes
    an hour that a source may give; ``influence`` is the largest part of an arm's recent evidence that one may hold;
    ``memory`` are the sources that are known, the least recently heard leave.
    """

    share: float = 0.15
    least: float = 0.03
    probation: float = 1.0
    rate: float = 600.0
    influence: float = 0.25
    memory: int = 2048

    def __post_init__(self) -> None:
        if not (0 < self.share < 0.5 and 0 <= self.least < 1 and 0 < self.influence <= 1):
            raise ValueError("share is in (0, 0.5), least in [0, 1), influence in (0, 1]")
        if not (self.probation >= 0 and self.rate > 0 and self.memory >= 1):
            raise ValueError("probation is not negative, rate and memory are positive")

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-ready."""
        return asdict(self)
