"""Thompson sampling with known probabilities (Thompson 1933; Russo et al. 2018).

The usual way draws one sample per arm and plays the best, so nobody knows the probability with which it played.
Here many samples are drawn at once and their argmax frequencies *are* the distribution. The standard normals are
fixed per arm name, so the same posterior gives the same probabilities, bit for bit, on every replica.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from router_models.policy import Mask, Vector

SAMPLES: Final = 256

Scores = npt.NDArray[np.floating[Any]]


@lru_cache(maxsize=4096)
def normals(name: str) -> npt.NDArray[np.float32]:
    """Standard normal samples (S,) of an arm: evenly spread levels, in an order drawn from its name alone."""
    keys = np.frombuffer(hashlib.shake_256(name.encode()).digest(8 * SAMPLES), dtype="<u8")
    normal = NormalDist()
    levels = np.array([normal.inv_cdf((i + 0.5) / SAMPLES) for i in range(SAMPLES)], dtype=np.float32)
    samples = levels[np.argsort(keys, kind="stable")]
    samples.flags.writeable = False
    return samples


def argmax_frequencies(mean: Scores, deviation: Scores, samples: npt.NDArray[np.float32], eligible: Mask) -> Vector:
    """How often each arm (..., K) has the highest of its ``samples`` (K, S) scaled by its posterior; sums to one.

    Arms that tie share a sample, so the order of the arms is of no consequence.
    """
    drawn = samples * deviation.astype(np.float32)[..., None]
    drawn += mean.astype(np.float32)[..., None]
    if not eligible.all():
        drawn[~eligible] = -np.inf
    return shared(drawn == np.maximum.reduce(drawn, axis=-2, keepdims=True))


def greedy(mean: Scores, eligible: Mask) -> Vector:
    """All mass on the best mean (..., K); arms that tie share it."""
    scores = np.where(eligible, mean, -np.inf)
    return shared((scores == scores.max(axis=-1, keepdims=True))[..., None])


def shared(won: Mask) -> Vector:
    """Each sample's win (..., K, S), split among the arms that tie for it."""
    wins = np.add.reduce(won, axis=-1, dtype=np.int32)
    arms, samples = won.shape[-2:]
    frequencies: Vector = wins / samples
    if np.add.reduce(wins, axis=None) * arms > won.size:  # more wins than samples
        for tied in np.argwhere(wins.sum(axis=-1) > samples):
            row = won[tuple(tied)]
            frequencies[tuple(tied)] = (row / row.sum(axis=0)).mean(axis=1)
    return frequencies


def with_floor(probabilities: Vector, eligible: Mask, mass: float) -> Vector:
    """Mix in the exploration ``mass``, spread evenly over the eligible arms (..., K)."""
    mixed: Vector = (1.0 - mass) * probabilities
    mixed += eligible * (mass / np.add.reduce(eligible, axis=-1, keepdims=True))
    return mixed
