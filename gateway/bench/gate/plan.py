"""A whole run: a bad version on one installation after another, an export carried, rollbacks under load, quiet runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from gateway.bench.gate.carrying import Carried, carry
from gateway.bench.gate.installation import installed
from gateway.bench.gate.quiet import Quiet, Run, runs
from gateway.bench.gate.returning import Returned, fill, roll_back
from gateway.bench.gate.trying import Tried, attempt
from gateway.bench.gate.world import made
from gateway.bench.process import generator
from gateway.bench.routing.recorded import Recorded
from gateway.bench.serving import upstream
from gateway.space import Space
from router_models import traits
from router_models.embedders import load

MADE: Final = 3000
"""Requests that are made up where no file is given."""

MOST: Final = 400
"""Outcomes after which a bad version is given up on."""

COMPARED: Final = 50
"""Prompts whose probabilities are compared where an export was brought in."""

SIMULATED: Final = 4000
"""Requests at most that quiet runs draw from."""

Step = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``seeds`` installations, each ``taught`` by so many outcomes; ``rollbacks`` on one with ``events`` in its log;
    ``runs`` quiet runs in ``jobs`` processes. Recorded outcomes come from a file called ``data``, if any.
    """

    seeds: int
    taught: int
    events: int
    rollbacks: int
    runs: int
    jobs: int
    data: str | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a run showed."""

    tried: list[Tried]
    carried: Carried
    returned: list[Returned]
    quiet: list[Run]


def run(plan: Plan, *, step: Step) -> Found:
    """Everything; ``step`` hears the name of each part of which another piece is done.

    Raises :class:`gateway.bench.gate.installation.Failed`, :class:`gateway.bench.process.ProcessFailed`,
    :class:`gateway.bench.routing.recorded.InvalidData`.
    """
    recorded = None if plan.data is None else Recorded.read(Path(plan.data))
    with tempfile.TemporaryDirectory(prefix="polyculture-gate-") as folder:
        root = Path(folder)
        with upstream(root) as port:
            tried = [
                _try(root, port, recorded or made(MADE, seed=seed), plan, seed, step) for seed in range(plan.seeds)
            ]
            carried, returned = _long(root, port, recorded or made(MADE, seed=0), plan, step)
    return Found(
        tried=tried, carried=carried, returned=returned, quiet=_quiet(recorded or made(MADE, seed=0), plan, step)
    )


def _try(root: Path, port: int, data: Recorded, plan: Plan, seed: int, step: Step) -> Tried:
    with installed(root / f"bad-{seed}", data.models, upstream=port) as here:
        found = attempt(here, data, seed=seed, taught=plan.taught, most=MOST)
    step("forced")
    return found


def _long(root: Path, port: int, data: Recorded, plan: Plan, step: Step) -> tuple[Carried, list[Returned]]:
    with installed(root / "long", data.models, upstream=port) as here, generator() as load_generator:
        fill(here, load_generator, plan.events)
        step("returned")
        returned = roll_back(
            here, load_generator, data, times=plan.rollbacks, seed=plan.seeds, step=lambda: step("returned")
        )
        with installed(root / "other", data.models, upstream=port) as there:
            return carry(here, there, data.prompts[:COMPARED]), returned


def _quiet(data: Recorded, plan: Plan, step: Step) -> list[Run]:
    if not plan.runs:
        return []
    space, rows = Space.of(load("static")), slice(SIMULATED)
    vectors = space.embedder.embed(data.prompts[rows])
    pairs = zip(vectors, data.prompts[rows], strict=True)
    features = np.stack([space.features(vector, traits(prompt)) for vector, prompt in pairs])
    world = Quiet.of(data.models, features, data.quality[rows])
    step("quiet")
    return runs(world, plan.runs, jobs=plan.jobs, step=lambda: step("quiet"))
