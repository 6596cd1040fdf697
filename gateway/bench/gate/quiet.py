"""Simulated runs in which nothing is wrong with the live version, and whether the gate takes it back all the same.

What befalls such a run: requests grow harder and easier, an upstream has a bad day, and outcomes come late. What is
tried in it: what was learned, a router's own export brought in again, or that of another installation which learned
from other requests of the same kind, and is no worse; both by force.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.bench.gate.simulation import Simulation
from gateway.config import Gate, Routing
from router_models import make
from router_models.policy import Arrays, Policy, Snapshot

What = Literal["learned", "own export", "another's export"]
WHATS: Final[tuple[What, ...]] = ("learned", "own export", "another's export")

LEARNED: Final = 1000
WATCHED: Final = 1200
"""Requests before a run begins, and those of the run."""

SCHOOLS: Final = 12
"""Routers that have learned before; runs begin with one of them."""

HARDNESS: Final = 0.3
BAD_DAY: Final = 200
BADNESS: Final = 0.7
"""Share of the answers that are spoilt at the hardest; requests that a bad day lasts, and the share spoilt in it."""

LATEST: Final = 150
"""Requests after which an outcome comes at the latest."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what was tried, whether the gate had doubts, and after how many requests it was taken back, if it was.

    It was then ``worse`` than the trusted version by so much, as both knew things at that moment, on all requests
    without anything that befell the run.
    """

    seed: int
    what: What
    taken_back: int | None
    doubted: bool
    worse: float | None


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """What runs are made of: features (n, d), every model's ``quality`` (n, K), and what routers have learned before,
    in the order of what they are worth.
    """

    models: tuple[str, ...]
    features: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float64]
    schools: tuple[Arrays, ...]

    @classmethod
    def of(cls, models: Sequence[str], features: npt.NDArray[np.float32], quality: npt.NDArray[np.float64]) -> Quiet:
        """Let some routers learn; columns of ``quality`` are in the order of ``models``."""
        order = np.argsort(models)
        world = cls(
            models=tuple(models[place] for place in order), features=features, quality=quality[:, order], schools=()
        )
        schools = tuple(sorted((world.school(seed) for seed in range(SCHOOLS)), key=world.value))
        return cls(models=world.models, features=features, quality=world.quality, schools=schools)

    def school(self, seed: int) -> Arrays:
        """What a router has learned from requests in an order of its own."""
        rng = np.random.default_rng([seed, 1])
        simulation = self._simulation(rng)
        for row in rng.integers(len(self.quality), size=LEARNED):
            simulation.serve(self.features[row], self.quality[row])
        return simulation.state.arrays()

    def value(self, known: Arrays) -> float:
        """What a router earns that knows this, and learns no more."""
        return self._earned(_policy().load(known).snapshot())

    def _earned(self, snapshot: Snapshot) -> float:
        everyone = np.ones(self.quality.shape, dtype=np.bool_)
        shares = snapshot.propose_all(self.features, eligible=everyone).probabilities
        return float((shares * self.quality).sum(axis=1).mean())

    def run(self, seed: int) -> Run:
        """One run."""
        rng = np.random.default_rng([seed, 2])
        what = WHATS[seed % len(WHATS)]
        own, other = sorted(rng.choice(len(self.schools), 2, replace=False))
        simulation = self._simulation(rng, self.schools[own])
        days = _days(rng, len(self.models))
        delay = int(rng.integers(LATEST))
        lately = rng.integers(len(self.quality), size=WATCHED)
        for row in rng.integers(len(self.quality), size=100):
            simulation.serve(self.features[row], self.quality[row])
        if what != "learned":
            simulation.bring(self.schools[other] if what == "another's export" else simulation.state.arrays())
        doubted = bool(simulation.standing.doubts)
        for place, row in enumerate(lately):
            spoilt = rng.random(len(self.models)) < days[place]
            simulation.serve(
                self.features[row], np.where(spoilt, 0.0, self.quality[row]), delay=int(rng.integers(delay + 1))
            )
            trusted = simulation.standing.trusted
            if simulation.standing.fallen and trusted is not None:
                worse = self._earned(trusted.snapshot) - self._earned(simulation.state.snapshot())
                return Run(seed=seed, what=what, taken_back=place + 1, doubted=doubted, worse=worse)
        return Run(seed=seed, what=what, taken_back=None, doubted=doubted, worse=None)

    def _simulation(self, rng: np.random.Generator, known: Arrays | None = None) -> Simulation:
        return Simulation(
            policy=_policy(),
            models=self.models,
            width=self.features.shape[1],
            rng=rng,
            settings=Gate(),
            known=None if known is None else (known, LEARNED),
        )


def _policy() -> Policy:
    """As it is by default."""
    routing = Routing()
    return make(routing.policy, exploration=routing.exploration, cap=routing.share_cap)


def _days(rng: np.random.Generator, models: int) -> npt.NDArray[np.float64]:
    """Which share of each model's answers (WATCHED, K) is spoilt."""
    turns = rng.uniform(1.0, 4.0)
    season = 0.5 + 0.5 * np.sin(np.linspace(0.0, 2.0 * math.pi * turns, WATCHED) + rng.uniform(0.0, 2.0 * math.pi))
    spoilt = np.repeat(HARDNESS * season[:, None], models, axis=1)
    begins, model = int(rng.integers(WATCHED - BAD_DAY)), int(rng.integers(models))
    spoilt[begins : begins + BAD_DAY, model] = BADNESS
    return spoilt


def runs(world: Quiet, count: int, *, jobs: int, step: Callable[[], None]) -> list[Run]:
    """So many runs, by so many processes."""
    found = []
    if jobs == 1:
        for seed in range(count):
            found.append(world.run(seed))
            step()
        return found
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_adopt, initargs=(world,)) as pool:
        for run in pool.map(_run, range(count), chunksize=5):
            found.append(run)
            step()
    return found


_world: Quiet


def _adopt(world: Quiet) -> None:
    """Take the world over in a new process, which computes in one thread."""
    from threadpoolctl import threadpool_limits

    global _world
    _world = world
    threadpool_limits(1)


def _run(seed: int) -> Run:
    return _world.run(seed)
