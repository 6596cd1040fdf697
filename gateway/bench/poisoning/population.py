"""Who asks what, who means ill, and what they say of an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.bench.routing.recorded import Floats, Ints, Recorded


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How many ``sources`` there are, and which ``share`` of them is hostile; where ``topical``, each asks about one
    domain alone.
    """

    sources: int
    share: float
    topical: bool = False


@dataclass(frozen=True, kw_only=True)
class Population:
    """n requests in order: ``rows`` (n,) of the recorded outcomes, ``quality`` (n, K) of every model there, and the
    ``source`` (n,) that asks. ``hostile`` (S,) are those who say that model ``best`` is bad and ``worst`` good.
    """

    rows: Ints
    quality: Floats
    source: Ints
    hostile: npt.NDArray[np.bool_]
    best: int
    worst: int

    @classmethod
    def drawn(cls, data: Recorded, crowd: Crowd, *, requests: int, seed: int) -> Population:
        """The population of a seed, of so many requests at most."""
        chance = np.random.default_rng(seed)
        rows = chance.permutation(len(data.prompts))[:requests]
        hostile = np.zeros(crowd.sources, dtype=np.bool_)
        hostile[chance.permutation(crowd.sources)[: round(crowd.share * crowd.sources)]] = True
        source = chance.integers(crowd.sources, size=len(rows))
        if crowd.topical:
            topics = {domain: number for number, domain in enumerate(sorted(set(data.domains)))}
            topic = np.array([topics[data.domains[row]] for row in rows])
            source = _on_topic(topic, source, topics=len(topics), sources=crowd.sources)
        quality = data.quality[rows]
        worth = quality.mean(axis=0)
        best, worst = int(worth.argmax()), int(worth.argmin())
        return cls(rows=rows, quality=quality, source=source, hostile=hostile, best=best, worst=worst)

    def said(self, number: int, model: int, *, attacked: bool) -> float:
        """What the source of a request says of the answer that ``model`` gave."""
        if attacked and self.hostile[self.source[number]] and model in (self.best, self.worst):
            return float(model == self.worst)
        return float(self.quality[number, model])

    def names(self, *, hostile: bool) -> list[str]:
        """The end users who are hostile, or all others, among those who ask anything."""
        asked = np.unique(self.source)
        return [name(source) for source in asked[self.hostile[asked] == hostile]]


def name(source: int) -> str:
    """An end user's name."""
    return f"user-{source}"


def _on_topic(topic: Ints, source: Ints, *, topics: int, sources: int) -> Ints:
    """A source of the request's topic in place of any: those whose number leaves the same remainder."""
    if sources <= topics:
        return topic % sources
    peers = (sources - 1 - topic) // topics + 1
    found: Ints = topic + topics * (source % peers)
    return found
