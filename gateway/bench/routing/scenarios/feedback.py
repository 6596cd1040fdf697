"""Scenarios of feedback: it comes late, seldom, garbled, or from people who mean ill."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.scenarios.scenario import Scenario
from gateway.bench.routing.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Delayed(Scenario):
    """Feedback comes a geometric number of requests later, ``mean`` on average."""

    name: ClassVar[str] = "delayed"
    mean: float = 500.0

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """Not all of it comes before the end."""
        return replace(stream, delay=random.geometric(1.0 / (self.mean + 1.0), len(stream)) - 1)


@dataclass(frozen=True, kw_only=True)
class Sparse(Scenario):
    """A ``share`` of answers is judged; bad ones (quality below one half) are ``bias`` times as likely to be."""

    name: ClassVar[str] = "sparse"
    share: float = 0.05
    bias: float = 3.0

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """The share holds for answers of all models alike."""
        bad = stream.quality < 0.5
        good = self.share / (1.0 + (self.bias - 1.0) * bad.mean())
        return replace(stream, heard=random.random((len(stream), 1)) < np.where(bad, self.bias * good, good))


@dataclass(frozen=True, kw_only=True)
class Noisy(Scenario):
    """A ``share`` of judgements is a coin's toss."""

    name: ClassVar[str] = "noisy"
    share: float = 0.3

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """What is measured stays true."""
        tossed = random.random((len(stream), 1)) < self.share
        coin = random.integers(0, 2, (len(stream), 1)).astype(np.float64)
        return replace(stream, told=np.where(tossed, coin, stream.quality))


@dataclass(frozen=True, kw_only=True)
class Hostile(Scenario):
    """A ``share`` of the sources votes the worst model up and the best down; where ``trusted``, weights tell them."""

    name: ClassVar[str] = "hostile"
    share: float = 0.2
    trusted: bool = True
    doubted: float = 0.05

    def shaped(self, stream: Stream, data: Recorded, random: np.random.Generator) -> Stream:
        """On other models they vote as everybody does."""
        hostile = random.random((len(stream), 1)) < self.share
        means = stream.quality.mean(axis=0)
        votes = stream.quality.copy()
        votes[:, means.argmin()], votes[:, means.argmax()] = 1.0, 0.0
        weight = np.where(hostile & self.trusted, self.doubted, stream.weight)
        return replace(stream, told=np.where(hostile, votes, stream.quality), weight=weight)
