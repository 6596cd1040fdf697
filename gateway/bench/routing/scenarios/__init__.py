"""The scenarios by the names that results know them by, a module for each family.

limits    none, a budget, a cap on shares
models    failure, price, onboarding, departure
feedback  delayed, sparse, noisy, hostile
traffic   drift, tenants, perturbed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.bench.routing.contenders import Limits
from gateway.bench.routing.recorded import Ints, Recorded
from gateway.bench.routing.scenarios.feedback import Delayed, Hostile, Noisy, Sparse
from gateway.bench.routing.scenarios.limits import Budget, Cap, Stationary
from gateway.bench.routing.scenarios.models import Departure, Failure, Onboarding, Price
from gateway.bench.routing.scenarios.scenario import Scenario
from gateway.bench.routing.scenarios.traffic import Drift, Perturbed, Tenants

__all__ = ["COMPANIONS", "NAMES", "PRICED", "Choices", "Scenario", "scenarios"]

CAP = 0.5

THRIFTY = 0.05
"""The budget, in mean costs of the best single model, where none is given."""

PRICED = frozenset({"budget", "price"})
"""Scenarios that need costs."""

COMPANIONS = {"hostile": "without_weights", "tenants": "pooled"}
"""Scenarios that are run a second time, under this name within the results of the first."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What can be chosen of the scenarios; ``None`` for the defaults, which depend on the data."""

    budget: float | None = None
    failing: str | None = None
    failed_quality: float | None = None
    failed_cost: float | None = None
    newcomer: str | None = None


def scenarios(name: str, *, data: Recorded, rows: Ints, choices: Choices) -> dict[str, Scenario]:
    """The scenario of a name, under an empty label, and its companion, if it has one."""
    made = _MAKERS[name](_Frame(data=data, rows=rows, choices=choices))
    return dict(zip(("", COMPANIONS.get(name, "")), made, strict=False))


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What scenarios are made from."""

    data: Recorded
    rows: Ints
    choices: Choices

    @property
    def favourite(self) -> int:
        """The best single model in hindsight."""
        return self.data.best(self.rows)

    def model(self, name: str | None) -> int:
        """A model by name, or the favourite."""
        return self.favourite if name is None else self.data.models.index(name)

    @property
    def limits(self) -> Limits:
        """The budget that was asked for, if any."""
        return Limits(budget=self.choices.budget)

    @property
    def tight(self) -> Limits:
        """The budget that was asked for, or a small part of what the favourite costs."""
        if self.choices.budget is not None or self.data.cost is None:
            return self.limits
        return Limits(budget=THRIFTY * float(self.data.cost[self.rows, self.favourite].mean()))

    def failure(self) -> Scenario:
        """The favourite or another model fails."""
        choices = self.choices
        return Failure(
            model=self.model(choices.failing),
            quality=choices.failed_quality,
            cost=choices.failed_cost,
            limits=self.limits,
        )


_MAKERS: dict[str, Callable[[_Frame], tuple[Scenario, ...]]] = {
    "stationary": lambda frame: (Stationary(),),
    "failure": lambda frame: (frame.failure(),),
    "price": lambda frame: (Price(model=frame.favourite, limits=frame.tight),),
    "onboarding": lambda frame: (Onboarding(model=frame.model(frame.choices.newcomer), limits=frame.limits),),
    "departure": lambda frame: (Departure(model=frame.favourite, limits=frame.limits),),
    "delayed": lambda frame: (Delayed(limits=frame.limits),),
    "sparse": lambda frame: (Sparse(limits=frame.limits),),
    "noisy": lambda frame: (Noisy(limits=frame.limits),),
    "hostile": lambda frame: (Hostile(limits=frame.limits), Hostile(trusted=False, limits=frame.limits)),
    "drift": lambda frame: (Drift(limits=frame.limits),),
    "budget": lambda frame: (Budget(limits=frame.tight),),
    "cap": lambda frame: (Cap(limits=Limits(cap=CAP)),),
    "tenants": lambda frame: (Tenants(limits=frame.limits), Tenants(pooled=True, limits=frame.limits)),
    "perturbed": lambda frame: (Perturbed(limits=frame.limits),),
}

NAMES = tuple(_MAKERS)
