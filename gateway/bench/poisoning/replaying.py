"""Recorded outcomes asked and rated over HTTP, a few requests at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from gateway.bench.poisoning.installation import Installation
from gateway.bench.poisoning.population import Population, name

TOGETHER: Final = 8
"""Requests that are asked at once; what is said of them is told in one request."""


class Replayed(msgspec.Struct, kw_only=True):
    """What a pass showed: the true ``quality`` of the model that answered each request, outcomes that were ``withheld``
    and whose, at least once, because they were taken for ``dishonest``; and how many answers were ``audited``.
    """

    quality: list[float] = []
    withheld: int = 0
    dishonest: set[str] = set()
    audited: int = 0


async def replayed(
    gateway: Installation,
    prompts: Sequence[str],
    population: Population,
    *,
    attacked: bool,
    audits: float,
    told: Callable[[int], None],
) -> Replayed:
    """Ask and rate everything, and audit this part of the answers: those that the gateway names. ``told`` hears of each
    few requests.
    """
    found, worth = Replayed(), dict[str, float]()
    for start in range(0, len(population.rows), TOGETHER):
        numbers = range(start, min(start + TOGETHER, len(population.rows)))
        answers = await asyncio.gather(*(gateway.ask(prompts[population.rows[number]]) for number in numbers))
        items = []
        for number, (decision, model) in zip(numbers, answers, strict=True):
            worth[decision] = float(population.quality[number, model])
            found.quality.append(worth[decision])
            score = population.said(number, model, attacked=attacked)
            items.append({"decision_id": decision, "score": score, "source": name(population.source[number])})
        for item, result in zip(items, await gateway.tell(items), strict=True):
            found.withheld += result.status == "quarantined"
            if result.reason == "dishonest":
                found.dishonest.add(str(item["source"]))
        found.audited += await _audited(gateway, worth, due=int(audits * len(worth)) - found.audited)
        told(len(numbers))
    return found


async def _audited(gateway: Installation, worth: Mapping[str, float], *, due: int) -> int:
    """Audit so many answers; how many there were to audit."""
    decisions = await gateway.doubtful(due) if due > 0 else []
    for decision in decisions:
        await gateway.audit(decision, worth[decision])
    return len(decisions)
