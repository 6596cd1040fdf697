"""Where two versions differ most: in what they expect of each model, and in what they would give it."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np

from gateway.fold import Fold


class Difference(msgspec.Struct, frozen=True):
    """Of one tenant and arm, in both versions: its level (expected reward in the middle of the feature space) and its
    share (probability there, everyone eligible); ``None`` where there is no such arm.
    """

    tenant: str
    arm: str
    levels: tuple[float | None, float | None]
    shares: tuple[float | None, float | None]

    @property
    def size(self) -> float:
        """How much differs, in units of reward or probability; infinite for an arm that only one version has."""
        return max(_gap(*self.levels), _gap(*self.shares))


class Comparison(msgspec.Struct, frozen=True):
    """Two versions side by side: the largest ``differences`` first, of ``compared`` tenants and arms together."""

    versions: tuple[str, str]
    lessons: tuple[int, int]
    policies: tuple[str, str]
    parameters: dict[str, tuple[Any, Any]]
    compared: int
    differences: list[Difference]


def compare(
    one: Fold, other: Fold, *, names: tuple[str, str], tenant: str | None = None, limit: int = 20
) -> Comparison:
    """What changed from one to the other, for one tenant or for all."""
    tenants = sorted(one.states.keys() | other.states.keys()) if tenant is None else [tenant]
    found = [difference for each in tenants for difference in _differences(one, other, each)]
    found.sort(key=lambda difference: -difference.size)
    before, after = json.loads(one.live.parameters), json.loads(other.live.parameters)
    return Comparison(
        versions=names,
        lessons=(one.lessons, other.lessons),
        policies=(one.live.policy, other.live.policy),
        parameters={
            key: (before.get(key), after.get(key))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        },
        compared=len(found),
        differences=found[:limit],
    )


def standing(fold: Fold, tenant: str) -> dict[str, tuple[float, float]]:
    """Each arm's level and share for a tenant."""
    snapshot = fold.state(tenant).snapshot()
    if not snapshot.arms:
        return {}
    middle = np.zeros(fold.started.dimensions, np.float32)
    levels = snapshot.expected(middle[None])[0].tolist()
    shares = snapshot.propose(middle, eligible=np.ones(len(levels), np.bool_)).probabilities.tolist()
    return {arm: (level, share) for arm, level, share in zip(snapshot.arms, levels, shares, strict=True)}


def _differences(one: Fold, other: Fold, tenant: str) -> list[Difference]:
    before, after = standing(one, tenant), standing(other, tenant)
    nothing = (None, None)
    return [
        Difference(tenant, arm, *zip(before.get(arm, nothing), after.get(arm, nothing), strict=True))
        for arm in sorted(before.keys() | after.keys())
    ]


def _gap(one: float | None, other: float | None) -> float:
    return math.inf if one is None or other is None else abs(one - other)
