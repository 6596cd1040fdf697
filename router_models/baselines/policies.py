"""Random, one fixed model, epsilon-greedy, LinUCB, LinTS, and k-means."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from router_models.baselines.clusters import Clusters
from router_models.baselines.estimator import Estimator
from router_models.baselines.ridge import Ridge
from router_models.baselines.state import BaselineState
from router_models.policy import Arm, Arrays, InvalidState, Mask, Vector
from router_models.thompson import argmax_frequencies, greedy, normals


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What all baselines have: an estimator, a way to choose, and an ``exploration`` mass, spread evenly."""

    exploration: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.exploration <= 1:
            raise ValueError("exploration is a share, in [0, 1]")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The constructor's arguments, JSON-ready."""
        return asdict(self)

    @abstractmethod
    def estimator(self, dimensions: int) -> Estimator:
        """An estimator of no arms."""

    @abstractmethod
    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """Probabilities (K,) before the exploration mass."""

    def empty(self, dimensions: int) -> BaselineState:
        """A state of no arms."""
        return BaselineState(
            dimensions=dimensions,
            estimator=self.estimator(dimensions),
            choose=self.choose,
            exploration=self.exploration,
        )

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> BaselineState:
        """A state that knows only the arms' priors."""
        state = self.empty(dimensions)
        for arm in arms:
            state.add(arm)
        return state

    def load(self, arrays: Arrays) -> BaselineState:
        """The state that ``arrays`` saved. Raises :class:`InvalidState`."""
        try:
            state = self.empty(arrays["priors"].shape[1])
            state.restore(arrays)
        except (KeyError, ValueError, IndexError, TypeError, np.linalg.LinAlgError) as error:
            raise InvalidState(f"these arrays are no state of this policy: {error}") from error
        return state


@dataclass(frozen=True, kw_only=True)
class EpsilonGreedy(Baseline):
    """The best ridge estimate, but for the exploration mass, 5 % here."""

    name: ClassVar[str] = "epsilon_greedy"
    exploration: float = 0.05
    penalty: float = 1.0

    def estimator(self, dimensions: int) -> Estimator:
        """See :class:`Baseline`."""
        return Ridge(dimensions=dimensions, penalty=self.penalty)

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        return greedy(mean, eligible)


@dataclass(frozen=True, kw_only=True)
class LinUCB(EpsilonGreedy):
    """The highest upper confidence bound (Li et al. 2010)."""

    name: ClassVar[str] = "linucb"
    exploration: float = 0.01
    width: float = 0.5

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        return greedy(mean + self.width * deviation, eligible)


@dataclass(frozen=True, kw_only=True)
class LinTS(EpsilonGreedy):
    """Thompson sampling (Agrawal and Goyal 2013)."""

    name: ClassVar[str] = "lints"
    exploration: float = 0.01
    width: float = 0.3

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        return sampled(names, mean, self.width * deviation, eligible)


@dataclass(frozen=True, kw_only=True)
class KMeans(Baseline):
    """Thompson sampling on the mean reward in the nearest of ``clusters`` clusters."""

    name: ClassVar[str] = "kmeans"
    clusters: int = 16
    width: float = 0.3

    def estimator(self, dimensions: int) -> Estimator:
        """See :class:`Baseline`."""
        return Clusters(dimensions=dimensions, clusters=self.clusters)

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        return sampled(names, mean, self.width * deviation, eligible)


@dataclass(frozen=True, kw_only=True)
class Random(Baseline):
    """Every eligible arm alike."""

    name: ClassVar[str] = "random"

    def estimator(self, dimensions: int) -> Estimator:
        """See :class:`Baseline`."""
        return Clusters(dimensions=dimensions, clusters=1)

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        return eligible / np.count_nonzero(eligible)


@dataclass(frozen=True, kw_only=True)
class Fixed(Random):
    """Always the arm called ``model``; where it is not eligible, every other alike."""

    name: ClassVar[str] = "fixed"
    exploration: float = 0.0
    model: str

    def choose(self, names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
        """See :class:`Baseline`."""
        only = eligible & np.array([name == self.model for name in names])
        return super().choose(names, mean, deviation, only if only.any() else eligible)


def sampled(names: tuple[str, ...], mean: Vector, deviation: Vector, eligible: Mask) -> Vector:
    """Thompson probabilities (K,) of independent normal scores."""
    samples = np.array([normals(name) for name in names])
    return argmax_frequencies(mean, deviation, samples, eligible)
