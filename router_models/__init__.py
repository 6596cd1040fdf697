"""The mathematics of routing: pure numerics, no clock, no global randomness. See README.md beside this file."""

from typing import Any

from router_models.baselines import EpsilonGreedy, Fixed, KMeans, LinTS, LinUCB, Random
from router_models.features import Features, Projection, Traits, traits
from router_models.policy import Policy
from router_models.polyculture import Polyculture
from router_models.prior import semantic_prior

__all__ = ["POLICIES", "Features", "Policy", "Projection", "Traits", "make", "semantic_prior", "traits"]

POLICIES: dict[str, type[Policy]] = {
    kind.name: kind for kind in (Polyculture, Random, Fixed, EpsilonGreedy, LinUCB, LinTS, KMeans)
}
"""Every policy by its name."""


def make(name: str, **parameters: Any) -> Policy:
    """A policy by name. Raises ``ValueError`` for a name or a parameter that there is not."""
    if name not in POLICIES:
        raise ValueError(f"no policy is called {name!r}; there are {', '.join(sorted(POLICIES))}")
    try:
        return POLICIES[name](**parameters)
    except TypeError as error:
        raise ValueError(f"policy {name!r}: {error}") from error
