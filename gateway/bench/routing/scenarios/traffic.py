"""Scenarios of traffic: what is asked changes, people want opposite things, or ask in other words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.replay import Trace
from gateway.bench.routing.scenarios.scenario import Findings, Scenario
from gateway.bench.routing.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Drift(Scenario):
    """Domains come and go one after the other, blurred by ``blur`` of the pass; every request still comes once."""

    name: ClassVar[str] = "drift"
    blur: float = 0.15

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """The same prompts in another order."""
        labels = np.array([data.domains[row] for row in stream.rows.tolist()])
        turn = {domain: place for place, domain in enumerate(random.permutation(np.unique(labels)).tolist())}
        times = np.array([turn[label] for label in labels.tolist()]) / len(turn)
        return Stream.of(data, stream.rows[np.argsort(times + self.blur * random.standard_normal(len(times)))])


@dataclass(frozen=True, kw_only=True)
class Tenants(Scenario):
    """Two tenants with opposite tastes: the second's best model is the first's worst, and so on inwards."""

    name: ClassVar[str] = "tenants"
    pooled: bool = False

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Each has a state of its own unless they are ``pooled``."""
        second = random.random(len(stream)) < 0.5
        ranked = stream.quality.mean(axis=0).argsort()
        opposite = np.empty_like(stream.quality)
        opposite[:, ranked] = stream.quality[:, ranked[::-1]]
        tenant = np.zeros_like(stream.tenant) if self.pooled else second.astype(np.int64)
        return replace(stream.worth(np.where(second[:, None], opposite, stream.quality)), tenant=tenant)


@dataclass(frozen=True, kw_only=True)
class Perturbed(Scenario):
    """Some requests are also asked with typos and with careless punctuation, to see whether the choice stays."""

    name: ClassVar[str] = "perturbed"
    wordings: ClassVar[tuple[str, ...]] = ("typos", "punctuation")

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """The share of requests whose best model is another in other words."""
        shares = trace.flipped.mean(axis=0)
        by_wording: Findings = {
            f"flipped_{name}": float(share) for name, share in zip(self.wordings, shares, strict=True)
        }
        return {"flipped": float(trace.flipped.mean()), **by_wording}
