"""Relearning: neighbourhoods, the scale of skill and all beliefs formed anew from what is remembered, now and then."""

from __future__ import annotations

import math
from typing import Final, TypedDict

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

GROWTH: Final = (0.55, 1.1)
"""Coarse and fine neighbourhoods, as multiples of the root of the requests clustered: few at first, so that each
soon has outcomes enough to say something.
"""

SCALES: Final = (1.0, 4.0, 16.0, 64.0)
"""Factors tried on skill's prior variance. The one given is the least: too little curiosity costs more than excess."""

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
    """The neighbourhoods of requests (n, d): coarse and fine."""
    sizes = settings.coarse, settings.fine
    counts = [min(size, max(int(rate * math.sqrt(len(features))), 2)) for size, rate in zip(sizes, GROWTH, strict=True)]
    grains = tuple(grain(features, count=count, softness=settings.softness) for count in counts)
    return Basis(sizes=sizes, grains=grains)


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


class Variances(TypedDict):
    """Prior variances (p,), in noises, of the arms' own part and of the shared part."""

    own: Vector
    common: Vector


def variances(settings: Hyperparameters, scale: float) -> Variances:
    """What the posterior starts from; ``scale`` multiplies skill's variance."""
    skill = settings.skill**2 * scale
    own = np.array([settings.level**2, *[skill] * settings.coarse, *[FINE * skill] * settings.fine, settings.doubt**2])
    ease = [settings.ease**2] * (settings.coarse + settings.fine)
    common = np.array([1.0, *ease, settings.trust**2])
    return Variances(own=own, common=common)


def believe(said: Evidence, settings: Hyperparameters) -> tuple[Posterior, float]:
    """The posterior, and the scale of skill that the evidence makes likeliest.

    Whether models are specialists shows within a hundred outcomes, and decides how promising an untried one is.
    The level's variance stays as given: adapted too, it takes failures in one neighbourhood for general weakness.
    """
    scales = SCALES if settings.adapt else SCALES[:1]
    fits = {scale: Posterior.fit(said, **variances(settings, scale)) for scale in scales}
    likeliest = max(scales, key=lambda scale: fits[scale].log_evidence(said) - 0.125 * math.log(scale, 4) ** 2)
    return fits[likeliest], likeliest


def noise_variance(posterior: Posterior, said: Evidence, settings: Hyperparameters) -> float:
    """The variance of outcomes around their means, shrunk towards the first guess."""
    return (NOISE_COUNT * settings.noise**2 + posterior.misfit(said)) / (NOISE_COUNT + said.count)
