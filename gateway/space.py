"""The feature space that an embedder gives: its frozen projection, and a name for both together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from router_models import Features, Projection
from router_models.artifacts import FOLDER
from router_models.embedders import Embedder

#: Columns of the projection of an embedder that none was fitted for.
WIDTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Two spaces with the same ``fingerprint`` give the same features for the same request."""

    embedder: Embedder
    features: Features
    fingerprint: str

    @classmethod
    def of(cls, embedder: Embedder) -> Space:
        """The space of an embedder; one that no projection was fitted for gets a random orthonormal one."""
        path = FOLDER / f"projection-{embedder.name}.npz"
        projection = Projection.read(path) if path.exists() else _random(embedder.dimensions)
        digest = hashlib.sha256(projection.mean.tobytes() + projection.matrix.tobytes()).hexdigest()
        features = Features(projection=projection)
        return cls(embedder=embedder, features=features, fingerprint=f"{embedder.fingerprint}+{digest[:16]}")


def _random(dimensions: int) -> Projection:
    """Keep lengths and angles nearly (Johnson and Lindenstrauss, 1984); the same for the same dimensions."""
    width = min(WIDTH, dimensions)
    gaussian = np.random.default_rng(dimensions).standard_normal((dimensions, width))
    basis = np.linalg.qr(gaussian)[0] * np.sqrt(dimensions / width)
    return Projection(mean=np.zeros(dimensions, np.float32), matrix=basis.astype(np.float32))
