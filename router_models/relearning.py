"""Relearning: new neighbourhoods, prior scales and beliefs from all that is remembered, a few times per thousand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from router_models.basis import Basis
from router_models.hyperparameters import Hyperparameters
from router_models.memory import Memory
from router_models.neighbourhoods import grain
from router_models.policy import Vector
from router_models.posterior import Evidence, Posterior
from router_models.rows import Floats

SOONEST: Final = 16
LATEST: Final = 1024
"""Relearning comes after half as many outcomes again as before, but after at least 16 and at most 1,024 new ones."""

RECENT: Final = 2048
"""Requests that are clustered: the latest."""

STEP: Final = 4.0
"""Factor by which a prior variance is tried larger and smaller; twice as much is one deviation of its own prior."""

LARGEST: Final = 64.0
"""Bound of that factor. The prior variances given are the least: too little curiosity costs more than too much."""

FINE: Final = 0.5
"""Prior variance of a skill in a fine neighbourhood, as part of that in a coarse one."""

AVERAGE: Final = 0.5
"""An unknown arm's expected reward."""

NOISE_COUNT: Final = 10.0
"""Outcomes that the first guess of the noise is worth."""


def is_due(seen: int, last: int) -> bool:
    """Whether to relearn after ``seen`` outcomes, having done so after ``last``."""
    return seen >= last + min(max(last // 2, SOONEST), LATEST)


def survey(features: Floats, settings: Hyperparameters) -> Basis:
    """The neighbourhoods of requests (n, d): coarse and fine, at most one for every four requests."""
    counts = [min(count, max(len(features) // 4, 2)) for count in (settings.coarse, settings.fine)]
    grains = tuple(grain(features, count=count, softness=settings.softness) for count in counts)
    return Basis(sizes=(settings.coarse, settings.fine), grains=grains)


def evidence(memory: Memory, basis: Basis, priors: Vector) -> Evidence:
    """What the remembered outcomes say on each arm; ``priors`` (K, d)."""
    order = memory.order()
    features = memory.features[order].astype(np.float32)
    arms, rewards, weights = memory.arms[order], memory.rewards[order], memory.weights[order]
    places = basis.places(features).astype(np.float64)
    places[:, -1] = np.einsum("nd,nd->n", features, priors[arms])
    targets = rewards - AVERAGE - places[:, -1]
    gram = np.zeros((len(priors), basis.size, basis.size))
    moment = np.zeros((len(priors), basis.size))
    for arm in np.unique(arms):
        own = arms == arm
        heavy = places[own] * weights[own, None]
        gram[arm], moment[arm] = heavy.T @ places[own], heavy.T @ targets[own]
    return Evidence(gram=gram, moment=moment, squares=float(weights @ targets**2), count=float(weights.sum()))


def variances(settings: Hyperparameters, scales: Vector) -> tuple[Vector, Vector]:
    """Prior variances (p,), in noises, of the arms' own part and of the shared part; ``scales`` (2,) multiply
    those of level and skill.
    """
    level, skill = settings.level**2 * scales[0], settings.skill**2 * scales[1]
    own = np.array([level, *[skill] * settings.coarse, *[FINE * skill] * settings.fine, settings.doubt**2])
    ease = [settings.ease**2] * (settings.coarse + settings.fine)
    common = np.array([1.0, *ease, settings.trust**2])
    return own, common


def believe(said: Evidence, settings: Hyperparameters, scales: Vector) -> tuple[Posterior, Vector]:
    """The posterior, and the scales that make the evidence likeliest, climbing from the given ones."""
    posterior, score = weighed(said, settings, scales)
    climbing = settings.adapt
    while climbing:
        climbing = False
        for candidate in neighbours(scales):
            fitted, candidate_score = weighed(said, settings, candidate)
            if candidate_score > score:
                posterior, score, scales, climbing = fitted, candidate_score, candidate, True
    return posterior, scales


def weighed(said: Evidence, settings: Hyperparameters, scales: Vector) -> tuple[Posterior, float]:
    """The posterior at these scales, and its log evidence, their own prior included."""
    own, common = variances(settings, scales)
    posterior = Posterior.fit(said, own=own, common=common)
    return posterior, posterior.log_evidence(said) - 0.125 * float(np.square(np.log(scales) / np.log(STEP)).sum())


def neighbours(scales: Vector) -> Iterator[Vector]:
    """Each of the scales a step up and a step down, but never below one."""
    for index in range(len(scales)):
        for factor in (STEP, 1.0 / STEP):
            stepped = scales.copy()
            stepped[index] = min(max(stepped[index] * factor, 1.0), LARGEST)
            if stepped[index] != scales[index]:
                yield stepped


def noise_variance(posterior: Posterior, said: Evidence, settings: Hyperparameters) -> float:
    """The variance of outcomes around their means, shrunk towards the first guess."""
    return (NOISE_COUNT * settings.noise**2 + posterior.misfit(said)) / (NOISE_COUNT + said.count)
