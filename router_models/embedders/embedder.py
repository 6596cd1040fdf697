"""What an embedder is: text in, unit vectors out, the same text always the same vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns text into vectors whose cosine is similarity of meaning.

    ``embed`` is safe to call from several threads at once, never fails on odd text, and costs a bounded time
    however long a text is: of a long one it reads the head and the tail.
    """

    @property
    def name(self) -> str:
        """What configuration calls it."""

    @property
    def dimensions(self) -> int:
        """Length e of a vector."""

    @property
    def fingerprint(self) -> str:
        """Names the vector space: two embedders share it only if they give the same vectors for the same text."""

    @property
    def instant(self) -> bool:
        """Whether one text costs so little (well under .1 ms) that an event loop may call ``embed`` itself."""

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Embed n texts, each independently of the others: float32 (n, e), rows of unit length."""
