"""The static embedder's table: one vector for each token of the vocabulary, distilled from the transformer.

As in Model2Vec (Tulkens and van Dongen, 2024): each token alone goes through the transformer, principal components
of the vocabulary keep 256 of 384 dimensions, and frequent tokens count less (smooth inverse frequency, Arora et al.,
2017), their frequency being guessed from their rank by Zipf's law. The constants were chosen by how well the
embeddings' cosines follow the transformer's on paragraphs of programming manuals.

The same bytes must come out on another processor, whose sums differ in the last bits. So inexact steps are
followed by rounding to a grid so coarse that such a difference practically never shows, and on which all further
sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from router_models.artifacts import quantise
from router_models.artifacts.reference import Array, Reference, unit

DIMENSIONS: Final = 256
SMOOTHING: Final = 1e-4
"""A token of this probability counts half."""

FIRST_WORD: Final = "the"
"""BERT's vocabulary holds markers and placeholders, then single characters, then words by falling frequency."""

CHARACTER_RANK: Final = 20
FOREIGN_RANK: Final = 200
GRID: Final = 2.0**-14
PORTION: Final = 256


def portions(size: int) -> list[npt.NDArray[np.int64]]:
    """The vocabulary's ids in the portions that :func:`states` takes."""
    return np.array_split(np.arange(size), range(PORTION, size, PORTION))


def states(model: Reference, vocabulary: Iterable[npt.NDArray[np.int64]], *, start: int, end: int) -> Array:
    """What the transformer makes of each token alone, between its two markers: (v, 384), of unit length."""
    rows = []
    for ids in vocabulary:
        texts = np.stack([np.full_like(ids, start), ids, np.full_like(ids, end)], axis=1)
        rows.append(unit(model.hidden(texts)[:, :2].mean(axis=1)))
    return np.concatenate(rows)


def build(vectors: Array, tokens: list[str]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Token vectors (v, 384) to int8 codes (v, 256) and their scales (v,)."""
    proper = np.array([not (token.startswith("[") and token.endswith("]") and len(token) > 1) for token in tokens])
    codes, scales = quantise.rows(components(vectors, proper) * importance(tokens)[:, None])
    return codes, scales[:, 0]


def components(vectors: Array, fitted: npt.NDArray[np.bool_]) -> Array:
    """Principal components (v, 256) of the vectors, the widest narrowed (each divided by its deviation's root)."""
    exact = _grid(vectors)
    centred = exact - _grid(exact[fitted].mean(axis=0))
    spread, axes = np.linalg.eigh(centred[fitted].T @ centred[fitted] / np.count_nonzero(fitted))
    spread, axes = spread[::-1][:DIMENSIONS], axes[:, ::-1][:, :DIMENSIONS]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(DIMENSIONS)])
    return np.asarray(centred @ _grid(axes / spread**0.25))


def importance(tokens: list[str]) -> Array:
    """How much each token counts, (v,): near 0 for the most frequent, near 1 for a rare one."""
    first = tokens.index(FIRST_WORD)
    ranks = np.arange(len(tokens)) - first + 1.0
    for number, token in enumerate(tokens[:first]):
        ranks[number] = CHARACTER_RANK if token.isascii() else FOREIGN_RANK
    frequencies = 1.0 / ranks
    return np.asarray(SMOOTHING / (SMOOTHING + frequencies / math.fsum(frequencies[first:])))


def _grid(values: Array) -> Array:
    return np.asarray(np.rint(values / GRID) * GRID)
