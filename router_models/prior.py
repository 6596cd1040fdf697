"""The semantic prior: what a model card's words promise before the first outcome."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from router_models.features import Features
from router_models.policy import Vector

PROMISE: Final = 0.5
"""Reward that a request gains whose meaning points exactly where the card's does; a clear match reaches half."""


def semantic_prior(features: Features, descriptions: npt.NDArray[np.float32]) -> Vector:
    """The prior mean (d,) of a card's texts, embedded as ``descriptions`` (m, e): ``prior @ x`` ranks by meaning.

    Each text counts as much as any other. It says nothing about a request without an embedding, and nothing
    for a card without texts. Raises ``ValueError`` on texts that are not finite.
    """
    prior = np.zeros(features.dimensions)
    if not len(descriptions):
        return prior
    meaning = features.projection(descriptions).astype(np.float64)
    lengths = np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-9)
    centre = (meaning / lengths).mean(axis=0)
    prior[1 : 1 + features.width] = PROMISE * centre / max(float(np.linalg.norm(centre)), 1e-9)
    return prior
