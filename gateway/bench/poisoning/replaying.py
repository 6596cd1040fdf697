"""Recorded outcomes asked and rated over HTTP, a few requests at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.bench.poisoning.installation import Installation
from gateway.bench.poisoning.population import Population, name

TOGETHER: Final = 8
"""Requests that are asked at once; what is said of them is told in one request."""


class Replayed(msgspec.Struct, kw_only=True):
    """What a pass showed: the true ``quality`` of the model that answered each request, outcomes that were ``withheld``
    and whose, at least once, because they were taken for ``dishonest``.
    """

    quality: list[float] = []
    withheld: int = 0
    dishonest: set[str] = set()


async def replayed(
    gateway: Installation,
    prompts: Sequence[str],
    population: Population,
    *,
    attacked: bool,
    told: Callable[[int], None],
) -> Replayed:
    """Ask and rate everything; ``told`` hears of each few requests."""
    found = Replayed()
    for start in range(0, len(population.rows), TOGETHER):
        numbers = range(start, min(start + TOGETHER, len(population.rows)))
        answers = await asyncio.gather(*(gateway.ask(prompts[population.rows[number]]) for number in numbers))
        items = []
        for number, (decision, model) in zip(numbers, answers, strict=True):
            found.quality.append(float(population.quality[number, model]))
            score = population.said(number, model, attacked=attacked)
            items.append({"decision_id": decision, "score": score, "source": name(population.source[number])})
        for item, result in zip(items, await gateway.tell(items), strict=True):
            found.withheld += result.status == "quarantined"
            if result.reason == "dishonest":
                found.dishonest.add(str(item["source"]))
        told(len(numbers))
    return found
