"""The replay: one pass over a stream, in which only the chosen model's outcome is revealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from gateway.bench.routing.recorded import Floats, Ints
from gateway.bench.routing.stream import Mask, Stream
from router_models.policy import Arm, Observation, State, Vector

Features = npt.NDArray[np.float32]

PROBE = 5
"""One request in so many is also asked in other words, where a scenario has other words."""


@runtime_checkable
class PriceTaker(Protocol):
    """A state that wants to be told of announced prices rather than to learn them from what it pays."""

    def announce(self, factors: dict[str, float]) -> None:
        """List prices are now these multiples of the first ones."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a pass did: ``chosen`` (T,) models; ``flipped`` (P, V) whether each of V wordings of each probed request
    would be answered by another model.
    """

    chosen: Ints
    flipped: Mask


class Seat:
    """One state at the table: who it knows, and the feedback on its way to it."""

    def __init__(self, *, state: State, models: Sequence[str], dimensions: int) -> None:
        self.state = state
        self._models = list(models)
        self._prior = np.zeros(dimensions)
        self._roster: set[str] = set()
        self._due: list[tuple[int, int, Observation]] = []
        self._arms: tuple[str, ...] = ()
        self._positions: list[int] = []
        self._eligible: Mask = np.ones(0, dtype=np.bool_)

    def admit(self, present: Mask) -> None:
        """Take in models that came, and drop those that left."""
        now = {model for model, here in zip(self._models, present, strict=True) if here}
        for model in self._models:
            if model in now - self._roster:
                self.state.add(Arm(name=model, prior=self._prior))
            elif model in self._roster - now:
                self.state.remove(model)
        self._roster = now

    def choose(self, x: Features, draw: float) -> int:
        """The model that one uniform number picks from the policy's distribution."""
        view = self.state.snapshot()
        if view.arms != self._arms:
            self._arms = view.arms
            self._positions = [self._models.index(name) for name in view.arms]
            self._eligible = np.ones(len(view.arms), dtype=np.bool_)
        probabilities = view.propose(x, eligible=self._eligible).probabilities
        arm = self._positions[picked(probabilities, draw)]
        self.state.chose(self._models[arm])
        return arm

    def flips(self, x: Features, others: Sequence[Features]) -> list[bool]:
        """Whether the same request in other words has another best model."""
        view = self.state.snapshot()
        best, *found = [
            int(view.propose(words, eligible=self._eligible, explore=False).probabilities.argmax())
            for words in (x, *others)
        ]
        return [each != best for each in found]

    def expect(self, due: int, asked: int, observation: Observation) -> None:
        """Feedback on request ``asked`` arrives before request ``due``."""
        heappush(self._due, (due, asked, observation))

    def study(self, stream: Stream, features: Features) -> None:
        """Learn every model's outcome on every request, beforehand and off line."""
        for t, row in enumerate(stream.rows.tolist()):
            for arm, model in enumerate(self._models):
                if stream.present[t, arm]:
                    self.state.learn(Observation(arm=model, features=features[row], reward=float(stream.told[t, arm])))

    def hear(self, now: int) -> None:
        """Learn what has arrived, in the order of arrival."""
        while self._due and self._due[0][0] <= now:
            self.state.learn(heappop(self._due)[2])


def picked(probabilities: Vector, draw: float) -> int:
    """The position that a number in [0, 1) falls on; never one of probability zero."""
    position = int(np.searchsorted(probabilities.cumsum(), draw, side="right"))
    return position if position < len(probabilities) else int(probabilities.nonzero()[0][-1])


def replay(
    *,
    seats: Sequence[Seat],
    stream: Stream,
    models: Sequence[str],
    features: Features,
    draws: Floats,
    rewordings: Sequence[Features] = (),
) -> Trace:
    """Pass once over a stream; ``features`` (n, d) and each of ``rewordings`` by the data's rows, ``draws`` (T,)."""
    moves = {0, *(np.flatnonzero((stream.present[1:] != stream.present[:-1]).any(axis=1)) + 1).tolist()}
    paying = bool(stream.cost.any())
    chosen = np.empty(len(stream), dtype=np.int64)
    flipped: list[list[bool]] = []
    for t, row in enumerate(stream.rows.tolist()):
        for seat in seats:
            if t in moves:
                seat.admit(stream.present[t])
            if t in stream.repriced and isinstance(seat.state, PriceTaker):
                seat.state.announce(dict(zip(models, stream.repriced[t].tolist(), strict=True)))
        seat = seats[stream.tenant[t]]
        seat.hear(t)
        x = features[row]
        arm = chosen[t] = seat.choose(x, draws[t])
        if paying:
            seat.state.paid(models[arm], float(stream.cost[t, arm]))
        if stream.heard[t, arm]:
            said = Observation(
                arm=models[arm], features=x, reward=float(stream.told[t, arm]), weight=float(stream.weight[t, arm])
            )
            seat.expect(t + 1 + int(stream.delay[t]), t, said)
        if rewordings and t % PROBE == 0:
            flipped.append(seat.flips(x, [words[row] for words in rewordings]))
    return Trace(chosen=chosen, flipped=np.array(flipped, dtype=np.bool_).reshape(len(flipped), len(rewordings)))
