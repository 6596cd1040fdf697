"""The real router learning in a world, its decisions logged with their probabilities; and policies to ask about."""

from __future__ import annotations

from typing import Final

import numpy as np

from gateway.bench.offpolicy.world import World
from router_models import make
from router_models.evaluation import Decisions
from router_models.evaluation.decisions import Indices, Matrix
from router_models.policy import Arm, Observation, Snapshot, State, Vector

WARM: Final = 500
"""Decisions before the log begins."""

BATCH: Final = 10
"""Decisions between two snapshots."""

ELSEWHERE: Final = 600
"""Random decisions that the rival has learned from, in a log of its own."""

TARGETS: Final = ("previous", "retuned", "bolder", "quarter", "half", "rival", "runner_up", "uniform")

RETUNED: Final = {"scale": 0.3, "thrift": 0.15}
"""Half of the defaults."""


def simulated(
    world: World, rng: np.random.Generator, *, decisions: int
) -> tuple[Decisions, dict[str, Matrix], dict[str, float]]:
    """A log; every target policy's probabilities (n, K) at its requests; and what each target truly earns.

    The router is the default policy with its 1 % of exploration and its cap on shares; it goes on learning while its
    decisions are logged. No target has seen the log.
    """
    router = _start("polyculture", world)
    _serve(world, router, rng, WARM)
    targets = _targets(world, router, rng)
    requests, propensities, chosen, rewards = _serve(world, router, rng, decisions)
    log = Decisions(
        contexts=world.features[requests].astype(np.float64),
        propensities=propensities,
        chosen=chosen,
        rewards=rewards,
        target=propensities,
    )
    truths = {name: world.value(policy) for name, policy in targets.items()}
    return log, {name: policy[requests] for name, policy in targets.items()}, truths


def _start(policy: str, world: World) -> State:
    prior = np.zeros(world.features.shape[1])
    return make(policy).start(dimensions=len(prior), arms=[Arm(name=name, prior=prior) for name in world.arms])


def _serve(
    world: World, router: State, rng: np.random.Generator, decisions: int
) -> tuple[Indices, Matrix, Indices, Vector]:
    """Requests (n,), probabilities (n, K), arms drawn (n,), rewards (n,)."""
    requests = rng.integers(len(world.features), size=decisions)
    propensities, chosen = np.empty((decisions, len(world.arms))), np.empty(decisions, dtype=np.intp)
    rewards = np.empty(decisions)
    eligible = np.ones(len(world.arms), dtype=bool)
    for place, request in enumerate(requests):
        if place % BATCH == 0:
            snapshot = router.snapshot()
        propensities[place] = snapshot.propose(world.features[request], eligible=eligible).probabilities
        chosen[place] = arm = rng.choice(len(world.arms), p=propensities[place])
        rewards[place] = world.reward(request, arm, rng)
        router.chose(world.arms[arm])
        router.learn(Observation(arm=world.arms[arm], features=world.features[request], reward=float(rewards[place])))
    return requests, propensities, chosen, rewards


def _targets(world: World, router: State, rng: np.random.Generator) -> dict[str, Matrix]:
    """From near to far, as ``TARGETS`` names them."""
    previous, rival = _policy(world, router.snapshot()), _policy(world, _rival(world, rng))
    retuned = _policy(world, make("polyculture", **RETUNED).load(router.arrays()).snapshot())
    uniform = np.full_like(previous, 1.0 / previous.shape[1])
    runner_up = np.zeros_like(previous)
    runner_up[:, np.argsort(previous.mean(axis=0))[-2]] = 1.0
    policies = (
        previous,
        retuned,
        0.9 * previous + 0.1 * uniform,
        0.75 * previous + 0.25 * rival,
        0.5 * previous + 0.5 * rival,
        rival,
        runner_up,
        uniform,
    )
    return dict(zip(TARGETS, policies, strict=True))


def _policy(world: World, snapshot: Snapshot) -> Matrix:
    eligible = np.ones(len(world.arms), dtype=bool)
    return np.array([snapshot.propose(each, eligible=eligible).probabilities for each in world.features])


def _rival(world: World, rng: np.random.Generator) -> Snapshot:
    """LinUCB, having learned from random choices elsewhere."""
    state = _start("linucb", world)
    for request in rng.integers(len(world.features), size=ELSEWHERE):
        arm = int(rng.integers(len(world.arms)))
        observation = Observation(
            arm=world.arms[arm], features=world.features[request], reward=world.reward(request, arm, rng)
        )
        state.learn(observation)
    return state.snapshot()
