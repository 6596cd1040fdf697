"""The mathematics of routing: pure numerics, no clock, no global randomness. See README.md beside this file."""

from inspect import signature
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

LARGEST = 1_000_000
"""Beyond this no parameter means anything."""


def make(name: str, **parameters: Any) -> Policy:
    """A policy by name. Raises ``ValueError`` for a name or a parameter that there is not, or that makes no sense."""
    if name not in POLICIES:
        raise ValueError(f"no policy is called {name!r}; there are {', '.join(sorted(POLICIES))}")
    known = signature(POLICIES[name]).parameters
    for each, value in parameters.items():
        if each not in known:
            raise ValueError(f"the policy {name!r} has no parameter {each!r}; it has {', '.join(sorted(known))}")
        number = "str" not in str(known[each].annotation)
        if number and not (value is None or (isinstance(value, int | float) and abs(value) <= LARGEST)):
            raise ValueError(f"{each} of the policy {name!r} is a number, of at most {LARGEST:,}")
    try:
        return POLICIES[name](**parameters)
    except TypeError as error:
        raise ValueError(f"policy {name!r}: {error}") from error
