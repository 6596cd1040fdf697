"""Change detection: two one-sided CUSUMs per arm on standardised surprise (Page 1954)."""

from __future__ import annotations

from typing import Final

import numpy as np

ALLOWANCE: Final = 0.35
THRESHOLD: Final = 14.5
"""A false alarm about every 300,000 outcomes, none in 74,000 recorded ones; a fall by .7 standard deviations is noticed
after about 45.
"""

LARGEST: Final = 2.0
"""The most that one outcome counts for: graded rewards have heavy tails, and a few bad answers are no change."""


class Surprise:
    """For K arms (4, K): sums of surprise upwards and downwards, and outcomes since each was last at zero."""

    def __init__(self) -> None:
        self.sums = np.zeros((4, 0))

    def insert(self, arm: int) -> None:
        """Put an arm at index ``arm``."""
        self.sums = np.insert(self.sums, arm, 0.0, axis=1)

    def remove(self, arm: int) -> None:
        """Drop an arm."""
        self.sums = np.delete(self.sums, arm, axis=1)

    def alarm(self, arm: int, surprise: float) -> int:
        """Take one standardised residual; if the arm is no longer what it was, say since how many outcomes."""
        surprise = min(max(surprise, -LARGEST), LARGEST)
        up, down, rising, falling = self.sums[:, arm].tolist()
        up, down = max(up + surprise - ALLOWANCE, 0.0), max(down - surprise - ALLOWANCE, 0.0)
        rising, falling = rising + 1.0 if up else 0.0, falling + 1.0 if down else 0.0
        if max(up, down) < THRESHOLD:
            self.sums[:, arm] = up, down, rising, falling
            return 0
        self.sums[:, arm] = 0.0
        return int(rising if up > down else falling)
