"""Neighbourhoods: where the traffic is. Clusters of similar requests, in feature space, at several grains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from router_models.rows import Floats

SWEEPS: Final = 6
EDGE: Final = 3.0
"""Mean squared distances from its nearest centre beyond which a request counts as lying nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """One clustering: ``centres`` (m, d); ``spread`` is the mean squared distance of requests to their nearest.

    Membership is soft, at a temperature of ``softness`` spreads, and fades to zero far from all centres.
    """

    centres: Floats
    lengths: Floats
    spread: float
    softness: float

    def membership(self, squares: Floats) -> Floats:
        """How far requests belong to each neighbourhood (n, m), at most 1 in total, by their squared distances
        (n, m) from its centre.
        """
        squares = squares / self.spread
        nearest = np.minimum.reduce(squares, axis=1, keepdims=True)
        near = np.exp((nearest - squares) / self.softness)
        near *= np.exp(np.minimum(EDGE - nearest, 0.0) / self.softness) / np.add.reduce(near, axis=1, keepdims=True)
        shares: Floats = near
        return shares


def grain(x: Floats, *, count: int, softness: float) -> Grain:
    """Cluster requests (n, d) into at most ``count`` neighbourhoods: bisecting k-means, then k-means (Lloyd 1982).

    Deterministic: the cluster with the largest squared error is split along its principal axis until there are
    enough (Steinbach et al. 2000), and all centres then settle.
    """
    centres = x.mean(axis=0, keepdims=True)
    labels = np.zeros(len(x), dtype=np.int64)
    errors = [float(np.square(x - centres[0]).sum())]
    while len(centres) < count:
        worst = int(np.argmax(errors))
        members = np.flatnonzero(labels == worst)
        side = split(x[members])
        if side.all() or not side.any():
            break
        labels[members[side]] = len(centres)
        halves = [x[members[~side]], x[members[side]]]
        centres = np.concatenate([centres, halves[1].mean(axis=0, keepdims=True)])
        centres[worst] = halves[0].mean(axis=0)
        errors[worst], new = (float(np.square(half - half.mean(axis=0)).sum()) for half in halves)
        errors.append(new)
    return settled(x, centres, softness)


def split(x: Floats) -> npt.NDArray[np.bool_]:
    """The sides (n,) of requests along their principal axis, after one step of 2-means."""
    centred = x - x.mean(axis=0)
    axis = centred[int(np.square(centred).sum(axis=1).argmax())]
    for _ in range(4):
        axis = centred.T @ (centred @ axis)
        axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    side: npt.NDArray[np.bool_] = centred @ axis > 0
    if side.all() or not side.any():
        return side
    low, high = x[~side].mean(axis=0), x[side].mean(axis=0)
    nearer: npt.NDArray[np.bool_] = np.square(x - high).sum(axis=1) < np.square(x - low).sum(axis=1)
    return nearer


def settled(x: Floats, centres: Floats, softness: float) -> Grain:
    """Lloyd's algorithm from these centres; a centre left without requests stays where it is."""
    own = np.einsum("ij,ij->i", x, x)
    for _ in range(SWEEPS):
        lengths = np.einsum("ij,ij->i", centres, centres)
        squares = lengths - 2.0 * (x @ centres.T)
        labels = squares.argmin(axis=1)
        sizes = np.bincount(labels, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, x)
        filled = sizes > 0
        centres = np.where(filled[:, None], sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
    lengths = np.einsum("ij,ij->i", centres, centres)
    nearest = (lengths - 2.0 * (x @ centres.T)).min(axis=1) + own
    spread = max(float(nearest.mean()), 1e-3)
    return Grain(centres=centres, lengths=lengths, spread=spread, softness=softness)
