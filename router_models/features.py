"""Features: an embedding through a frozen projection, and what can be read off a request at a glance.

The vector is laid out ``[1, embedding part, traits]``. Its scale is its meaning: distances between vectors are
what the policies call similarity, so the embedding part has about unit length on ordinary text and each trait
moves a vector by a fraction of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from router_models.rows import rowwise

HEAD: Final = 3072
TAIL: Final = 1024
"""Characters read of a text, from its start and from its end."""

DIGITS: Final = b"0123456789"
UPPER: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CODE: Final = b"{}();=<>[]_`#"
FORMULA: Final = b"+-*/^\\$%|"
MARKS: Final = b",.:'\""
CLOSING: Final = b" \t\r\n\"')]}"

CENTRE: Final = np.array([4.9, 0.02, 0.02, 0.01, 0.02, 0.03, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], np.float32)
SCALE: Final = np.array([1.0, 0.03, 0.03, 0.02, 0.02, 0.03, 0.015, 0.2, 0.5, 1.0, 0.5, 0.5, 0.5])
"""Where an ordinary prompt lies, and how far from it is far: set by hand, on no file of outcomes."""

REACH: Final = 3.0
WEIGHT: Final = 0.15
"""A trait counts at most ``REACH`` of its scales, and one scale moves a vector by ``WEIGHT``."""

STEP: Final = (WEIGHT / SCALE).astype(np.float32)
BOUND: Final = np.float32(WEIGHT * REACH)


class Traits(NamedTuple):
    """What a request shows without being understood. Shares are of the bytes read."""

    length: float
    digits: float
    code: float
    formula: float
    lines: float
    capitals: float
    marks: float
    foreign: float
    question: float
    turns: float
    tools: float
    json_mode: float
    images: float


TRAITS: Final = len(Traits._fields)


def traits(text: str, *, turns: int = 1, tools: bool = False, json_mode: bool = False, images: int = 0) -> Traits:
    """Read the traits of the last message ``text``, in time independent of its length."""
    size = len(text)
    if size > HEAD + TAIL:
        text = text[:HEAD] + text[-TAIL:]
    raw = text.encode(errors="replace")
    total = len(raw) or 1

    def share(characters: bytes) -> float:
        return (len(raw) - len(raw.translate(None, characters))) / total

    return Traits(
        length=math.log1p(size),
        digits=share(DIGITS),
        code=share(CODE),
        formula=share(FORMULA),
        lines=share(b"\n"),
        capitals=share(UPPER),
        marks=share(MARKS),
        foreign=(len(raw) - len(text)) / total,
        question=float(raw.rstrip(CLOSING).endswith(b"?")),
        turns=math.log(max(turns, 1)),
        tools=float(tools),
        json_mode=float(json_mode),
        images=math.log1p(max(images, 0)),
    )


def entries(traits: Sequence[Traits]) -> npt.NDArray[np.float32]:
    """Traits as feature entries (n, t): centred, scaled, bounded."""
    scaled: npt.NDArray[np.float32] = np.array(traits, dtype=np.float32)
    scaled -= CENTRE
    scaled *= STEP
    np.maximum(scaled, -BOUND, out=scaled)
    np.minimum(scaled, BOUND, out=scaled)
    return scaled


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A frozen affine map of embeddings: ``(embedding - mean) @ matrix``; ``mean`` (e,), ``matrix`` (e, p).

    Raises ``ValueError`` on shapes that do not fit or values that are not finite.
    """

    mean: npt.NDArray[np.float32]
    matrix: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.mean.shape != (self.matrix.shape[0],):
            shapes = f"{self.mean.shape} and {self.matrix.shape}"
            raise ValueError(f"a projection needs mean (e,) and matrix (e, p), not {shapes}")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.matrix).all()):
            raise ValueError("a projection must be finite")

    @classmethod
    def read(cls, path: Path) -> Projection:
        """Load what ``artifacts/project.py`` wrote. Raises ``OSError`` or ``ValueError``."""
        with np.load(path, allow_pickle=False) as file:
            return cls(mean=file["mean"], matrix=file["matrix"])

    def __call__(self, embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Map (e,) to (p,), or (n, e) to (n, p). Raises ``ValueError`` unless all is finite."""
        if not np.isfinite(embeddings).all():
            raise ValueError("an embedding must be finite")
        mapped: npt.NDArray[np.float32] = rowwise((embeddings - self.mean).reshape(-1, len(self.mean)), self.matrix)
        return mapped.reshape((*embeddings.shape[:-1], -1))


class Features:
    """Makes the vector (d,) that policies learn from; d is at most 64 with the projections shipped."""

    def __init__(self, *, projection: Projection) -> None:
        self.projection = projection
        self.width = projection.matrix.shape[1]
        self.dimensions = 1 + self.width + TRAITS

    def __call__(self, embedding: npt.NDArray[np.float32] | None, traits: Traits) -> npt.NDArray[np.float32]:
        """Features (d,) of one request; see :meth:`rows`."""
        row: npt.NDArray[np.float32] = self.rows([embedding], [traits])[0]
        return row

    def rows(
        self, embeddings: Sequence[npt.NDArray[np.float32] | None], traits: Sequence[Traits]
    ) -> npt.NDArray[np.float32]:
        """Features (n, d) of n requests, their embeddings (e,) each; without one, no meaning: a constant and traits.

        A request's row is the same, bit for bit, in any company. Raises ``ValueError`` if an embedding is not finite.
        """
        x = np.zeros((len(traits), self.dimensions), dtype=np.float32)
        x[:, 0] = 1.0
        x[:, 1 + self.width :] = entries(traits)
        told = [embedding for embedding in embeddings if embedding is not None]
        if told:
            rows = slice(None) if len(told) == len(x) else [e is not None for e in embeddings]
            x[rows, 1 : 1 + self.width] = self.projection(np.array(told))
        return x
