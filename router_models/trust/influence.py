"""Influence: no source holds more than its part of any arm's recent evidence."""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Arrays
from router_models.trust.names import read, written

DECAY: Final = 0.998
"""What evidence on an arm keeps of its worth with each outcome of that arm: recent are the last 500 or so."""

FLOOR: Final = 20.0
"""Outcomes that an arm's evidence is taken to have at least, so that small installations learn."""

FAIR: Final = 2.0
"""Where few sources speak, each may hold so many times an equal part."""

_LARGEST: Final = 1e9
_NOTHING: Final = 0.01


class _Arm:
    """``held`` is the evidence by source, in units that are worth ``1 / scale`` outcomes now."""

    def __init__(self, *, total: float = 0.0, scale: float = 1.0) -> None:
        self.held: dict[str, float] = {}
        self.total, self.scale = total, scale


class Influence:
    """Evidence on each of K arms, by who gave it."""

    def __init__(self) -> None:
        self._arms: list[_Arm] = []

    def insert(self) -> None:
        """Take one more arm in."""
        self._arms.append(_Arm())

    def granted(self, arm: int, source: str, weight: float, *, part: float) -> float:
        """How much of ``weight`` a source may add, so that it holds no more than ``part`` of the arm's evidence."""
        of = self._arms[arm]
        share = max(part, FAIR / max(len(of.held), 1))
        if share >= 1.0:
            return weight
        now = DECAY / of.scale
        total, held = of.total * now, of.held.get(source, 0.0) * now
        return min(weight, max(0.0, (share * max(total, FLOOR) - held) / (1.0 - share)))

    def add(self, arm: int, source: str, weight: float) -> None:
        """Book what a source has added; everything before it ages by one outcome."""
        of = self._arms[arm]
        of.scale /= DECAY
        worth = weight * of.scale
        of.held[source] = of.held.get(source, 0.0) + worth
        of.total += worth
        if of.scale > _LARGEST:
            of.held = {each: kept for each, held in of.held.items() if (kept := held / of.scale) > _NOTHING}
            of.total, of.scale = of.total / of.scale, 1.0

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        held = [(arm, source, worth) for arm, of in enumerate(self._arms) for source, worth in of.held.items()]
        return {
            "scales": np.array([(of.total, of.scale) for of in self._arms], dtype=np.float64).reshape(-1, 2),
            "of": np.array([arm for arm, _, _ in held], dtype=np.int64),
            "holders": written(source for _, source, _ in held),
            "held": np.array([worth for _, _, worth in held], dtype=np.float64),
        }

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms. Raises ``KeyError`` or ``ValueError``."""
        scales, of, held = arrays["scales"], arrays["of"], arrays["held"]
        if scales.shape != (arms, 2) or of.shape != held.shape or not np.isin(of, range(arms)).all():
            raise ValueError("the evidence does not fit the arms")
        if not (np.isfinite(scales).all() and np.isfinite(held).all() and (scales[:, 1] > 0).all()):
            raise ValueError("evidence must be finite")
        self._arms = [_Arm(total=total, scale=scale) for total, scale in scales.tolist()]
        for arm, source, worth in zip(of.tolist(), read(arrays["holders"]), held.tolist(), strict=True):
            self._arms[arm].held[source] = worth
