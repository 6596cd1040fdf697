"""A whole run: for each seed a pass with honest sources alone, and two with hostile ones, defended and not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.bench.poisoning.forgetting import Forgotten, forgotten
from gateway.bench.poisoning.installation import Setup, installed
from gateway.bench.poisoning.population import Crowd, Population
from gateway.bench.poisoning.replaying import Replayed, replayed
from gateway.bench.routing.recorded import Recorded
from gateway.bench.serving import upstream

PASSES: Final = ("clean", "defended", "undefended")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The crowd, how many ``requests`` a pass has at most, how many ``seeds``, which part of the answers an auditor
    judges where there are defences, and who embeds.
    """

    crowd: Crowd
    requests: int
    seeds: int
    audits: float
    embedder: str


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one seed showed, by pass, and what was left of the hostile sources' feedback once it was revoked."""

    population: Population
    passes: dict[str, Replayed]
    forgotten: Forgotten


async def run(data: Recorded, plan: Plan, *, told: Callable[[int], None]) -> list[Course]:
    """All seeds, one after the other; ``told`` hears of each few requests."""
    with tempfile.TemporaryDirectory() as name, upstream(Path(name)) as port:
        return [await _course(data, plan, Path(name) / str(seed), port, seed, told) for seed in range(plan.seeds)]


async def _course(
    data: Recorded, plan: Plan, folder: Path, port: int, seed: int, told: Callable[[int], None]
) -> Course:
    population = Population.drawn(data, plan.crowd, requests=plan.requests, seed=seed)
    hostile = population.names(hostile=True)
    passes, archive = {}, b""
    for name in PASSES:
        trust = name != "undefended"
        setup = Setup(models=len(data.models), upstream=port, embedder=plan.embedder, trust=trust)
        async with installed(folder / name, setup) as gateway:
            passes[name] = await replayed(
                gateway,
                data.prompts,
                population,
                attacked=name != "clean",
                audits=plan.audits if trust else 0.0,
                told=told,
            )
            if name == "defended":
                await gateway.revoke(hostile)
                archive = await gateway.export()
    left = forgotten(folder / "defended" / "data", archive, users=hostile)
    return Course(population=population, passes=passes, forgotten=left)
