"""Feedback that is withheld because its source is not believed, until an admin releases or rejects it."""

from __future__ import annotations

from typing import Final

import numpy as np

from router_models.policy import Arrays

MOST: Final = 10_000
"""Entries that are kept for an admin; older ones stay withheld, and can be released no more."""


class Quarantine:
    """Why feedback is withheld, by its place in the log."""

    def __init__(self) -> None:
        self.reasons: dict[int, str] = {}

    def put(self, seq: int, reason: str) -> None:
        """Withhold."""
        self.reasons[seq] = reason
        if len(self.reasons) > MOST:
            del self.reasons[next(iter(self.reasons))]

    def take(self, seq: int) -> None:
        """Let go."""
        self.reasons.pop(seq, None)

    def arrays(self) -> Arrays:
        """``places`` (n,) in the log, and their ``reasons`` (n,)."""
        return {
            "places": np.array(list(self.reasons), np.int64),
            "reasons": np.array(list(self.reasons.values()), dtype=np.str_),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or ``ValueError``."""
        found = zip(arrays["places"].tolist(), arrays["reasons"], strict=True)
        self.reasons = {int(seq): str(reason) for seq, reason in found}
