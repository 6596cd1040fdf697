"""How a model is doing: what the gateway has counted since it started, and what the router expects of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec
import numpy as np

from gateway.metrics import Metrics
from gateway.registry import Model
from router_models.policy import Snapshot

Samples = Mapping[str, Mapping[str, float]]


class Figures(msgspec.Struct, frozen=True):
    """``breaker`` is ``closed`` while requests go there, else ``open``, or ``trying`` where the next one tries it.

    ``share`` is of the last 1000 routed requests. ``requests``, ``failures``, ``first_byte_s`` (mean time to an
    answer's begin) and ``cost_usd`` are since the start. ``expected_reward`` is what the tenant's router expects of it
    for a request in the middle of all.
    """

    breaker: str
    under_way: int
    share: float
    requests: int
    failures: int
    first_byte_s: float | None
    cost_usd: float
    expected_reward: float | None


def samples(metrics: Metrics) -> Samples:
    """Every figure that is kept by model: model, name, sum over other labels."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in metrics.registry.collect():
        for sample in family.samples:
            if "model" in sample.labels:
                found[sample.labels["model"]][sample.name] += sample.value
    return found


def rewards(snapshot: Snapshot, *, dimensions: int) -> dict[str, float]:
    """What a router expects of each arm where nothing is known of the request."""
    if not snapshot.arms:
        return {}
    middle = np.zeros((1, dimensions), np.float32)
    return dict(zip(snapshot.arms, snapshot.expected(middle)[0].tolist(), strict=True))


def figures(model: Model, *, counted: Samples, expected: Mapping[str, float]) -> Figures:
    """One model's."""
    own: Mapping[str, float] = counted.get(model.id, {})
    answers = own.get("polyculture_upstream_first_byte_seconds_count", 0.0)
    waited = own.get("polyculture_upstream_first_byte_seconds_sum", 0.0)
    breaker = model.breaker
    return Figures(
        breaker="closed" if not breaker.open else "trying" if breaker.closed else "open",
        under_way=model.under_way,
        share=own.get("polyculture_routed_share", 0.0),
        requests=int(own.get("polyculture_requests_total", 0.0)),
        failures=int(own.get("polyculture_upstream_failures_total", 0.0)),
        first_byte_s=waited / answers if answers else None,
        cost_usd=own.get("polyculture_cost_usd_total", 0.0),
        expected_reward=expected.get(model.id),
    )
