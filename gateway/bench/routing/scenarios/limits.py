"""Scenarios of limits: none, a budget, a cap on shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gateway.bench.routing.replay import Trace
from gateway.bench.routing.scenarios.scenario import Findings, Scenario, gained, spent
from gateway.bench.routing.stream import Stream

WINDOW = 500


@dataclass(frozen=True, kw_only=True)
class Stationary(Scenario):
    """Nothing changes and nothing limits."""

    name: ClassVar[str] = "stationary"


@dataclass(frozen=True, kw_only=True)
class Budget(Scenario):
    """A mean cost of a request that must not be exceeded."""

    name: ClassVar[str] = "budget"

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """Cost in budgets; quality and cost in those of the best single model."""
        best = stream.best()
        of_best = float(stream.cost[:, best].mean())
        cost, budget = float(spent(stream, trace).mean()), self.limits.budget
        return {
            "budget": budget or 0.0,
            "cost_of_budget": cost / budget if budget else 0.0,
            "cost_of_best_single": cost / of_best if of_best else 0.0,
            "quality_of_best_single": float(gained(stream, trace).mean() / stream.quality[:, best].mean()),
        }


@dataclass(frozen=True, kw_only=True)
class Cap(Scenario):
    """No model may get more than a share of the traffic."""

    name: ClassVar[str] = "cap"

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """The largest share of any model in any window of requests."""
        return {"share_window_max": largest_window(trace, stream.quality.shape[1], WINDOW)}

    def concluded(self, findings: Sequence[Findings]) -> dict[str, float | None]:
        """Of all seeds the worst."""
        return {"share_window_max": max(float(each["share_window_max"]) for each in findings)}


def largest_window(trace: Trace, models: int, window: int) -> float:
    """The largest share of one model in any ``window`` requests in a row, or in all if there are fewer."""
    window = min(window, len(trace.chosen))
    chosen = np.eye(models)[trace.chosen].cumsum(axis=0)
    counts = chosen[window - 1 :] - np.vstack([np.zeros(models), chosen[:-window]])
    return float(counts.max() / window)
