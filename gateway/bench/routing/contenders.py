"""The policies by the names that results know them by: ours, the simple ones, and the peers that are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

import router_models
from gateway.bench.routing.recorded import Recorded
from router_models.embedders import MiniLM
from router_models.policy import Policy

Matrix = npt.NDArray[np.float32]

OURS = "polyculture"
SIMPLE = ("random", "epsilon_greedy", "linucb", "lints", "kmeans")
PEERS = {"paretobandit": "pareto_bandit", "vowpalwabbit": "vowpalwabbit", "mabwiser": "mabwiser"}
SHIPPED = frozenset({"paretobandit"})
"""Peers whose packages hold priors."""

NAMES = (OURS, *SIMPLE, *PEERS)
FIXED = "fixed:"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a policy is held to: a ``cap`` on shares, a ``budget`` in USD a request. Not all can be."""

    cap: float | None = None
    budget: float | None = None


@dataclass(frozen=True, kw_only=True)
class Material:
    """The data as policies may see them: ``embeddings`` and ``features`` (n, .) by wording."""

    data: Recorded
    embedder: str
    embeddings: Mapping[str, Matrix]
    features: Mapping[str, Matrix]
    views: dict[tuple[str, str], Matrix] = field(default_factory=dict, compare=False)

    def seen_by(self, name: str, wording: str = "plain") -> Matrix:
        """The features that a policy learns from: ours, unless it brings its own for these models."""
        if name != "paretobandit":
            return self.features[wording]
        key = (name, wording)
        if key not in self.views:
            from gateway.bench.routing.peers.paretobandit import PRICES, constant_last, own_features

            own = self.embedder == MiniLM.name and set(self.data.models) <= set(PRICES)
            self.views[key] = own_features(self.embeddings[wording]) if own else constant_last(self.features[wording])
        return self.views[key]


def missing(name: str) -> str | None:
    """Why a policy cannot take part, if it cannot."""
    package = PEERS.get(name)
    if package is None or find_spec(package) is not None:
        return None
    return f"{name} is left out: its package is not installed (pip install 'polyculture[bench]')"


def policy(name: str, *, data: Recorded, limits: Limits, seed: int, priors: bool = False) -> Policy:
    """A policy by its name in results; ``priors`` lets a peer start from what its package ships for its own models."""
    if name in PEERS:
        return _PEERS[name](data, limits, seed, priors)
    if name.startswith(FIXED):
        return router_models.make("fixed", model=name.removeprefix(FIXED))
    if name == OURS:
        return router_models.make(name, cap=limits.cap, budget=limits.budget)
    return router_models.make(name)


def settings(name: str, *, data: Recorded) -> dict[str, Any]:
    """What is set of a policy where nothing limits it, for the results."""
    return dict(policy(name, data=data, limits=Limits(), seed=0).parameters)


def _paretobandit(data: Recorded, limits: Limits, seed: int, priors: bool) -> Policy:
    from gateway.bench.routing.peers.paretobandit import ParetoBandit

    means = np.zeros(len(data.models)) if data.cost is None else data.cost.mean(axis=0)
    prices = dict(zip(data.models, means.tolist(), strict=True))
    return ParetoBandit(prices=prices, seed=seed, budget=limits.budget, priors=priors)


def _vowpalwabbit(data: Recorded, limits: Limits, seed: int, priors: bool) -> Policy:
    from gateway.bench.routing.peers.vowpalwabbit import VowpalWabbit

    return VowpalWabbit(seed=seed)


def _mabwiser(data: Recorded, limits: Limits, seed: int, priors: bool) -> Policy:
    from gateway.bench.routing.peers.mabwiser import MABWiser

    return MABWiser(seed=seed)


_PEERS: dict[str, Callable[[Recorded, Limits, int, bool], Policy]] = {
    "paretobandit": _paretobandit,
    "vowpalwabbit": _vowpalwabbit,
    "mabwiser": _mabwiser,
}
