"""What a scenario is: a small object that bends the plain stream, and says what to look at afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gateway.bench.routing.contenders import Limits
from gateway.bench.routing.recorded import Floats, Recorded
from gateway.bench.routing.replay import Trace
from gateway.bench.routing.stream import Stream

Findings = dict[str, float | Floats]

NONE = Limits()
"""Nothing to be held to."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The plain stream. ``limits`` hold a policy that can be held to them; ``wordings`` are also probed."""

    name: ClassVar[str] = "stationary"
    wordings: ClassVar[tuple[str, ...]] = ()
    limits: Limits = NONE

    @property
    def unknown(self) -> tuple[int, ...]:
        """Models that are not there yet when a policy is warmed up."""
        return ()

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Bend a plain stream."""
        return stream

    def findings(self, stream: Stream, trace: Trace) -> Findings:
        """What this scenario is about, of one pass: numbers and curves, to be averaged over the seeds."""
        return {}

    def concluded(self, findings: Sequence[Findings]) -> dict[str, float | None]:
        """What follows from the findings of all seeds; curves are left behind."""
        return {name: value for name, value in averaged(findings).items() if isinstance(value, float)}


def averaged(passes: Sequence[Mapping[str, float | Floats]]) -> Findings:
    """Means over the seeds of numbers or curves."""
    stacks = {name: np.array([each[name] for each in passes], dtype=np.float64) for name in passes[0]}
    return {name: float(stack.mean()) if stack.ndim == 1 else stack.mean(axis=0) for name, stack in stacks.items()}


def gained(stream: Stream, trace: Trace) -> Floats:
    """The reward (T,) of what was chosen."""
    rewards: Floats = stream.quality[np.arange(len(stream)), trace.chosen]
    return rewards


def spent(stream: Stream, trace: Trace) -> Floats:
    """The cost (T,) of what was chosen."""
    costs: Floats = stream.cost[np.arange(len(stream)), trace.chosen]
    return costs
