"""Fits the frozen projections: principal components of an embedder's vectors on our own corpus.

Run ``python -m router_models.artifacts.project`` to rebuild ``projection-<embedder>.npz`` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from router_models.artifacts import FOLDER
from router_models.artifacts.corpus import corpus
from router_models.embedders import Embedder, MiniLM, Static
from router_models.features import Projection

WIDTH: Final = 50


def fit(embeddings: np.ndarray[tuple[int, int], np.dtype[np.float32]], *, width: int = WIDTH) -> Projection:
    """The first ``width`` principal components, scaled so that the projected corpus has unit mean square length."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    centred = embeddings - mean
    _, axes = np.linalg.eigh(centred.T @ centred)
    matrix = axes[:, ::-1][:, :width]
    matrix = matrix * np.sign(matrix[np.abs(matrix).argmax(axis=0), np.arange(width)])
    matrix /= np.sqrt(np.square(centred @ matrix).sum(axis=1).mean())
    return Projection(mean=mean.astype(np.float32), matrix=matrix.astype(np.float32))


def build(embedder: Embedder, *, folder: Path = FOLDER) -> Path:
    """Write the embedder's projection and return where."""
    projection = fit(embedder.embed(list(corpus())))
    path = folder / f"projection-{embedder.name}.npz"
    np.savez(path, mean=projection.mean, matrix=projection.matrix)
    return path


if __name__ == "__main__":
    for embedder in (MiniLM(), Static()):
        print(build(embedder))
