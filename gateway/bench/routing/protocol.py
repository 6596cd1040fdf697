"""ParetoBandit's own evaluation (arXiv 2604.00136) on its own data, with it beside us on the same orders.

Three models, without the one that is onboarded later; always measured on the split ``test`` in full.

scratch     regret, knowing nothing
offline     regret after learning every model's outcomes beforehand: we from ``val``, ParetoBandit by the priors in its
            package, which its makers fitted to 8,374 other prompts (its published set-up)
warm        regret after learning from ``val`` one choice at a time, ParetoBandit on top of those priors
budget      reward and cost at its seven budgets, warm
failure     Mistral has quality .75 and costs nothing in the middle third, at three budgets, warm
onboarding  its fourth model joins at the start, without a budget and at three, warm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from gateway.bench.routing import runner
from gateway.bench.routing.contenders import OURS, Limits, Material, missing
from gateway.bench.routing.figures import Pass, summarised
from gateway.bench.routing.plan import Plan, material
from gateway.bench.routing.recorded import InvalidData, Recorded
from gateway.bench.routing.runner import Key, Task, World, by_seed
from gateway.bench.routing.scenarios.limits import Budget, Stationary
from gateway.bench.routing.scenarios.models import Failure, Onboarding
from gateway.bench.routing.scenarios.scenario import Scenario
from gateway.bench.routing.session import progress_bar
from router_models.embedders import MiniLM

PEER = "paretobandit"
FAILING = "mistralai/mistral-large-2512"
NEWCOMER = "google/gemini-2.5-flash"
MEASURED, LEARNED = "test", "val"

BUDGETS = {2.9e-5: 0.793, 8.3e-5: 0.813, 2.3e-4: 0.859, 6.6e-4: 0.898, 1.9e-3: 0.917, 5.3e-3: 0.924, 1.5e-2: 0.929}
"""USD a request, and the reward that ParetoBandit published for it."""

FAILURES = {3.0e-4: 0.800, 6.6e-4: 0.795, 1.9e-3: 0.794}
"""USD a request, and the reward that it published for the failed phase."""

SCRATCH, WARM, ADOPTED = 87.0, 55.0, 142.0
"""Its published regrets, and the step from which it uses the new model."""

Conditions = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One figure against ParetoBandit's, what it published, and what is asked of us."""

    name: str
    ours: float | None
    its: float | None
    published: float | None
    asked: str
    met: bool


def conditions(plan: Plan, data: Recorded, console: Console) -> Conditions:
    """Run everything: policy by policy what ``summarised`` tells of each condition. Raises :class:`InvalidData`."""
    if absent := [model for model in (FAILING, NEWCOMER) if model not in data.models]:
        raise InvalidData(f"this protocol needs ParetoBandit's data; {data.name} has no model {absent[0]!r}")
    if plan.embedder != MiniLM.name:
        raise InvalidData(f"this protocol needs --embedder {MiniLM.name}, which ParetoBandit's priors are for")
    if note := missing(PEER):
        raise InvalidData(note)
    with progress_bar(console) as progress:
        bar = progress.add_task("embedding", total=len(data.prompts))
        seen = material(data, plan=plan, wordings={"plain"}, step=lambda count: progress.advance(bar, count))
    found: Conditions = {}
    for world in _worlds(replace(seen, data=data.without([NEWCOMER])), seen):
        found |= _run(world, plan, console)
    return found


def _worlds(three: Material, four: Material) -> list[World]:
    """From scratch, learned off line, learned choice by choice, and with the newcomer."""
    data = three.data
    rows, warm = data.rows(MEASURED), data.rows(LEARNED)
    budgets: dict[Key, Scenario] = {("budget", f"{usd:g}"): Budget(limits=Limits(budget=usd)) for usd in BUDGETS}
    failures: dict[Key, Scenario] = {
        ("failure", f"{usd:g}"): Failure(
            model=data.models.index(FAILING), quality=0.75, cost=0.0, limits=Limits(budget=usd)
        )
        for usd in FAILURES
    }
    newcomer = four.data.models.index(NEWCOMER)
    joined: dict[Key, Scenario] = {
        ("onboarding", f"{usd:g}" if usd else ""): Onboarding(model=newcomer, joins=0.0, limits=Limits(budget=usd))
        for usd in (None, *FAILURES)
    }
    return [
        World(material=three, rows=rows, scenarios={("scratch", ""): Stationary()}),
        World(
            material=three, rows=rows, warm=warm, priors=True, offline=True, scenarios={("offline", ""): Stationary()}
        ),
        World(
            material=three,
            rows=rows,
            warm=warm,
            priors=True,
            scenarios={("warm", ""): Stationary()} | budgets | failures,
        ),
        World(material=four, rows=rows, warm=warm, priors=True, scenarios=joined),
    ]


def _run(world: World, plan: Plan, console: Console) -> Conditions:
    """All passes of a world."""
    policies = (OURS, PEER)
    tasks = [
        Task(seed=seed, policy=policy, scenario=key)
        for seed in range(plan.seeds)
        for key in world.scenarios
        for policy in policies
    ]
    passes: dict[Task, Pass] = {}
    with progress_bar(console) as progress:
        bar = progress.add_task(next(iter(world.scenarios))[0], total=len(tasks))
        for task, result in runner.run(world, tasks, jobs=plan.jobs):
            passes[task] = result
            progress.advance(bar)
    models = world.material.data.models
    return {
        " ".join(filter(None, key)): {
            policy: summarised(scenario, by_seed(passes, policy, key), models) for policy in policies
        }
        for key, scenario in world.scenarios.items()
    }


def bars(found: Conditions) -> list[Bar]:
    """Every figure that is asked about."""
    return [*_regrets(found), *_budgets(found), *_failures(found), *_onboardings(found)]


def _regrets(found: Conditions) -> list[Bar]:
    judged = []
    limits = (("scratch", SCRATCH, 70.0, 0.85), ("offline", WARM, 52.0, 1.0), ("warm", WARM, 52.0, 1.0))
    for name, published, limit, share in limits:
        ours, its = _both(found[name], "regret")
        met = ours <= limit and ours <= share * its
        asked = f"<= {limit:g} and {share:.0%} of its"
        judged.append(Bar(name=f"regret, {name}", ours=ours, its=its, published=published, asked=asked, met=met))
    return judged


def _budgets(found: Conditions) -> list[Bar]:
    judged = []
    for usd, published in BUDGETS.items():
        ours, its = _both(found[f"budget {usd:g}"], "mean")
        spent, its_spent = _both(found[f"budget {usd:g}"], "cost_of_budget")
        least = max(its, 0.92) if usd == 6.6e-4 else its
        asked = ">= .920 and its" if usd == 6.6e-4 else ">= its"
        name = f"budget {usd:g}"
        judged.append(
            Bar(name=f"{name}: reward", ours=ours, its=its, published=published, asked=asked, met=ours >= least)
        )
        met = spent <= 1.0
        judged.append(Bar(name=f"{name}: spent", ours=spent, its=its_spent, published=None, asked="<= 1", met=met))
    return judged


def _failures(found: Conditions) -> list[Bar]:
    judged = []
    for usd, published in FAILURES.items():
        name = f"failure {usd:g}"
        margin = 0.01 if usd == max(FAILURES) else 0.0
        ours, its = _both(found[name], "phase_2")
        asked = f">= its + {margin:g}" if margin else ">= its"
        met = ours >= its + margin
        judged.append(Bar(name=f"{name}: failed", ours=ours, its=its, published=published, asked=asked, met=met))
        lost, its_lost = (
            before - after
            for before, after in zip(_both(found[name], "phase_1"), _both(found[name], "recovered"), strict=True)
        )
        met = lost <= 0.005
        judged.append(Bar(name=f"{name}: lost", ours=lost, its=its_lost, published=None, asked="<= .005", met=met))
    return judged


def _onboardings(found: Conditions) -> list[Bar]:
    judged = []
    for name in found:
        if name.startswith("onboarding"):
            ours, its = found[name][OURS]["adopted"], found[name][PEER]["adopted"]
            met = ours is not None and ours <= 100
            judged.append(Bar(name=f"{name}: adopted", ours=ours, its=its, published=ADOPTED, asked="<= 100", met=met))
    return judged


def _both(condition: Mapping[str, Any], figure: str) -> tuple[float, float]:
    return condition[OURS][figure], condition[PEER][figure]


def table(judged: list[Bar], *, seeds: int, wall_s: float, jobs: int) -> str:
    """All bars as Markdown."""
    lines = [
        f"# ParetoBandit's protocol, {seeds} seeds",
        "",
        f"| figure | {OURS} | {PEER}, here | published | asked | met |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    for bar in judged:
        cells = ["" if value is None else f"{value:.5g}" for value in (bar.ours, bar.its, bar.published)]
        lines.append(f"| {bar.name} | {' | '.join(cells)} | {bar.asked} | {'yes' if bar.met else 'no'} |")
    return "\n".join([*lines, "", f"{wall_s:.0f} s on {jobs} processes."]) + "\n"
