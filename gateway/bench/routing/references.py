"""What hindsight or full information would reach: yardsticks, not policies.

Everything here is prequential where it learns: it predicts a block of requests, then learns all models' outcomes on
them. What could be tuned, ridge penalty and number of neighbours, is chosen by what did best so far in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.bench.routing.recorded import Floats, Ints, Recorded

BLOCK: Final = 50
PENALTIES: Final = (1.0, 3.0, 10.0, 30.0, 100.0)
NEIGHBOURS: Final = (10, 20, 40, 80, 160)

NAMES: Final = ("random", "best_single", "best_per_domain", "full_information_ridge", "full_information_knn", "oracle")

Matrix = npt.NDArray[np.float32]
Predict = Callable[[int, int], Floats]


def rewards(data: Recorded, rows: Ints, *, embeddings: Matrix) -> dict[str, Floats]:
    """The reward (T,) of every reference on each request of an order ``rows`` (T,); ``embeddings`` (n, e) in full."""
    quality = data.quality[rows]
    return {
        "random": quality.mean(axis=1),
        "best_single": quality[:, quality.mean(axis=0).argmax()],
        "best_per_domain": _by_domain(quality, [data.domains[row] for row in rows.tolist()]),
        "full_information_ridge": _ridge(embeddings[rows].astype(np.float64), quality),
        "full_information_knn": _nearest(embeddings[rows], quality),
        "oracle": quality.max(axis=1),
    }


def _by_domain(quality: Floats, domains: list[str]) -> Floats:
    """The best single model in hindsight of each domain."""
    labels = np.array(domains)
    found = np.empty(len(quality))
    for domain in set(domains):
        here = labels == domain
        found[here] = quality[here, quality[here].mean(axis=0).argmax()]
    return found


def _follow_leader(quality: Floats, predictions: int, predict: Callable[[int, int], Floats]) -> Floats:
    """Play block by block what the prediction that did best so far likes best; ``predict`` gives (P, B, K)."""
    gained = np.zeros(predictions)
    found = np.empty(len(quality))
    for start in range(0, len(quality), BLOCK):
        stop = min(start + BLOCK, len(quality))
        choices = predict(start, stop).argmax(axis=2)
        outcomes = np.take_along_axis(quality[start:stop], choices.T, axis=1)
        found[start:stop] = outcomes[:, gained.argmax()]
        gained += outcomes.sum(axis=0)
    return found


def _ridge(embeddings: Floats, quality: Floats) -> Floats:
    """Ridge regression of every model's quality, about the mean quality of all outcomes so far."""
    features = np.hstack([np.ones((len(embeddings), 1)), embeddings])
    gram = np.zeros((features.shape[1], features.shape[1]))
    moments = np.zeros((features.shape[1], quality.shape[1]))
    sums = np.zeros(features.shape[1])
    learned = 0

    def predict(start: int, stop: int) -> Floats:
        nonlocal learned
        fresh, outcomes = features[learned:start], quality[learned:start]
        gram[:] += fresh.T @ fresh
        moments[:] += fresh.T @ outcomes
        sums[:] += fresh.sum(axis=0)
        learned = start
        centre = quality[:start].mean() if start else 0.0
        eye = np.eye(len(gram))
        weights = [np.linalg.solve(gram + penalty * eye, moments - centre * sums[:, None]) for penalty in PENALTIES]
        return np.stack([features[start:stop] @ weight for weight in weights])

    return _follow_leader(quality, len(PENALTIES), predict)


def _nearest(embeddings: Matrix, quality: Floats) -> Floats:
    """Mean quality of every model on the most similar requests so far."""

    def predict(start: int, stop: int) -> Floats:
        most = min(max(NEIGHBOURS), start)
        if not most:
            return np.zeros((len(NEIGHBOURS), stop - start, quality.shape[1]))
        likeness = embeddings[start:stop] @ embeddings[:start].T
        nearest = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
        order = np.argsort(-np.take_along_axis(likeness, nearest, axis=1), axis=1)
        outcomes = quality[np.take_along_axis(nearest, order, axis=1)]
        return np.stack([outcomes[:, :count].mean(axis=1) for count in NEIGHBOURS])

    return _follow_leader(quality, len(NEIGHBOURS), predict)
