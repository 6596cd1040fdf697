"""Scenarios of models that change: one fails and recovers, gets cheaper and dearer, comes, or goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.replay import Trace
from gateway.bench.routing.scenarios.scenario import Findings, Scenario, averaged, gained, spent
from gateway.bench.routing.stream import Stream

SETTLED = 200
"""Requests that a router may take to notice a recovery."""

FOLLOWING = 100
FINAL = 200
"""Adoption is judged by the share of the ``FOLLOWING`` requests, against that of the ``FINAL`` ones."""

STARTS = (0, 50, 100, 200, 400, 800)
"""Requests after it joined, from which shares are reported."""


def third(stream: Stream, index: int) -> slice:
    """The first, second or last third of a stream."""
    return slice(len(stream) * index // 3, len(stream) * (index + 1) // 3)


def by_thirds(stream: Stream, trace: Trace, model: int) -> Findings:
    """Reward, cost, and a model's share in each third."""
    found: Findings = {}
    for index in range(3):
        part = third(stream, index)
        found[f"phase_{index + 1}"] = float(gained(stream, trace)[part].mean())
        found[f"cost_{index + 1}"] = float(spent(stream, trace)[part].mean())
        found[f"share_{index + 1}"] = float((trace.chosen[part] == model).mean())
    return found


@dataclass(frozen=True, kw_only=True)
class Failure(Scenario):
    """In the middle third ``model`` has quality ``quality``, or half of its own; ``cost`` unless ``None``."""

    name: ClassVar[str] = "failure"
    model: int
    quality: float | None = None
    cost: float | None = None

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Nobody is told."""
        failed, quality, cost = third(stream, 1), stream.quality.copy(), stream.cost.copy()
        quality[failed, self.model] = quality[failed, self.model] / 2 if self.quality is None else self.quality
        if self.cost is not None:
            cost[failed, self.model] = self.cost
        return replace(stream.worth(quality), cost=cost)

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """Thirds, and the last one without the time to notice."""
        start = third(stream, 2).start
        settled = min(start + SETTLED, len(stream) - 1)
        recovered = float(gained(stream, trace)[settled:].mean())
        return {**by_thirds(stream, trace, self.model), "recovered": recovered}


@dataclass(frozen=True, kw_only=True)
class Price(Scenario):
    """In the middle third ``model`` costs a tenth, in the last third twice what it did at first; both are announced."""

    name: ClassVar[str] = "price"
    model: int
    cut: float = 0.1
    rise: float = 2.0

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Qualities stay."""
        cost, repriced = stream.cost.copy(), {}
        for index, factor in ((1, self.cut), (2, self.rise)):
            part = third(stream, index)
            cost[part, self.model] *= factor
            repriced[part.start] = np.where(np.arange(cost.shape[1]) == self.model, factor, 1.0)
        return replace(stream, cost=cost, repriced=repriced)

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """Thirds."""
        return by_thirds(stream, trace, self.model)


@dataclass(frozen=True, kw_only=True)
class Onboarding(Scenario):
    """``model`` joins when a share ``joins`` of the requests has passed."""

    name: ClassVar[str] = "onboarding"
    model: int
    joins: float = 1 / 3

    @property
    def unknown(self) -> tuple[int, ...]:
        """See :class:`Scenario`."""
        return (self.model,)

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Not there before."""
        present = stream.present.copy()
        present[: int(len(stream) * self.joins), self.model] = False
        return replace(stream, present=present)

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """Its share from then on, and the curve of its share in the following requests."""
        start = int(len(stream) * self.joins)
        chosen = (trace.chosen[start:] == self.model).astype(np.float64)
        window = min(FOLLOWING, len(chosen))
        sums = np.concatenate([[0.0], chosen.cumsum()])
        return {
            "reward_after": float(gained(stream, trace)[start:].mean()),
            "share_after": float(chosen.mean()),
            "final_share": float(chosen[-FINAL:].mean()),
            "following": (sums[window:] - sums[:-window]) / window,
        }

    def concluded(self, findings: Sequence[Findings]) -> dict[str, float | None]:
        """``adopted`` is the first request from which the following ones always hold half of the final share."""
        averages = averaged(findings)
        following = np.asarray(averages["following"])
        short = np.flatnonzero(following <= 0.5 * np.asarray(averages["final_share"]))
        adopted = int(short[-1]) + 1 if len(short) else 0
        never = adopted >= len(following)
        shares = {f"share_from_{start}": float(following[start]) for start in STARTS if start < len(following)}
        return {**super().concluded(findings), **shares, "adopted": None if never else float(adopted)}


@dataclass(frozen=True, kw_only=True)
class Departure(Scenario):
    """``model`` is gone for the second half."""

    name: ClassVar[str] = "departure"
    model: int

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """No longer there."""
        present = stream.present.copy()
        present[len(stream) // 2 :, self.model] = False
        return replace(stream, present=present)

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """Both halves, and what the best of the rest would have made of the second."""
        rewards, half = gained(stream, trace), len(stream) // 2
        rest = np.delete(stream.quality[half:], self.model, axis=1).mean(axis=0)
        return {
            "before": float(rewards[:half].mean()),
            "after": float(rewards[half:].mean()),
            "best_single_after": float(rest.max()),
        }
