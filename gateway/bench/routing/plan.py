"""What is asked of a run, made ready: data read, prompts embedded, scenarios and policies chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.bench.routing import contenders, scenarios
from gateway.bench.routing.contenders import FIXED, Material
from gateway.bench.routing.embeddings import embedded, featured
from gateway.bench.routing.recorded import InvalidData, Recorded
from gateway.bench.routing.runner import Task, World
from gateway.bench.routing.scenarios import Choices
from gateway.space import Space
from router_models import embedders


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was asked: no names mean all of them; the rows of ``warm`` are learned from before ``split`` is measured."""

    data: Path
    cache: Path
    policies: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    seeds: int = 5
    split: str | None = None
    warm: str | None = None
    embedder: str = "minilm"
    jobs: int = 1
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A plan against its data: the world, who takes part in what, and what had to be left out."""

    world: World
    policies: tuple[str, ...]
    scenarios: tuple[str, ...]
    notes: tuple[str, ...]

    def tasks(self, seeds: int) -> list[Task]:
        """The references first, then every policy in every scenario, seed by seed."""
        passes = [
            Task(seed=seed, policy=policy, scenario=key)
            for seed in range(seeds)
            for key in self.world.scenarios
            for policy in self.policies
        ]
        return [Task(seed=seed) for seed in range(seeds)] + passes


def read(plan: Plan) -> Recorded:
    """Read the data and check the plan against it. Raises :class:`InvalidData`."""
    data = Recorded.read(plan.data).without(plan.without)
    choices = plan.choices
    for model in (choices.failing, choices.newcomer, *map(_model, plan.policies)):
        if model is not None and model not in data.models:
            raise InvalidData(f"there is no model {model!r} to choose from; there are {', '.join(data.models)}")
    return data


def _model(policy: str) -> str | None:
    return policy.removeprefix(FIXED) if policy.startswith(FIXED) else None


def material(data: Recorded, *, plan: Plan, wordings: set[str], step: Callable[[int], None]) -> Material:
    """Embed all prompts in all wordings, or find that on disk."""
    space = Space.of(embedders.load(plan.embedder))
    embeddings = {
        wording: embedded(data, space, wording=wording, folder=plan.cache, jobs=plan.jobs, step=step)
        for wording in sorted(wordings)
    }
    features = {wording: featured(data, space, found, wording=wording) for wording, found in embeddings.items()}
    return Material(data=data, embedder=plan.embedder, embeddings=embeddings, features=features)


def wordings(plan: Plan) -> set[str]:
    """The wordings that the plan's scenarios need."""
    return {"plain"} | ({"typos", "punctuation"} if "perturbed" in (plan.scenarios or scenarios.NAMES) else set())


def prepare(plan: Plan, data: Recorded, *, step: Callable[[int], None]) -> Prepared:
    """Make everything ready. Raises :class:`InvalidData`."""
    rows = data.rows(plan.split)
    warm = None if plan.warm is None else data.rows(plan.warm)
    names = plan.scenarios or scenarios.NAMES
    notes = []
    if data.cost is None and (unpriced := [name for name in names if name in scenarios.PRICED]):
        names = tuple(name for name in names if name not in scenarios.PRICED)
        notes.append(f"{' and '.join(unpriced)} left out: {data.name} records no costs")
    asked = plan.policies or (*contenders.NAMES, *(FIXED + model for model in data.models))
    notes += [note for note in map(contenders.missing, asked) if note]
    made = {
        (name, label): scenario
        for name in names
        for label, scenario in scenarios.scenarios(name, data=data, rows=rows, choices=plan.choices).items()
    }
    if not made:
        raise InvalidData(notes[0])
    world = World(
        material=material(data, plan=plan, wordings=wordings(plan), step=step), rows=rows, warm=warm, scenarios=made
    )
    present = tuple(name for name in asked if contenders.missing(name) is None)
    return Prepared(world=world, policies=present, scenarios=names, notes=tuple(notes))
