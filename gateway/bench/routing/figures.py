"""Figures of passes: numbers and curves of one, and their means over the seeds with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway.bench.routing.recorded import Floats, Ints
from gateway.bench.routing.replay import Trace
from gateway.bench.routing.scenarios.scenario import Findings, Scenario, averaged, gained, spent
from gateway.bench.routing.stream import Stream

BINS = 60
"""Points of a curve over the pass."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass in figures; ``curves`` are binned over the pass, ``findings`` are the scenario's own."""

    figures: dict[str, float]
    curves: dict[str, Floats]
    findings: Findings


def stretches(rewards: Floats) -> dict[str, float]:
    """Means of the whole pass, its beginning, and its end."""
    return {
        "mean": float(rewards.mean()),
        "first_100": float(rewards[:100].mean()),
        "first_500": float(rewards[:500].mean()),
        "last_quarter": float(rewards[-max(len(rewards) // 4, 1) :].mean()),
    }


def figured(scenario: Scenario, stream: Stream, trace: Trace) -> Pass:
    """A pass in figures; what is above the best single model is paired request by request."""
    rewards, oracle, models = gained(stream, trace), stream.oracle(), stream.quality.shape[1]
    best = stream.quality[:, stream.best()]
    shares = np.bincount(trace.chosen, minlength=models) / len(stream)
    above = {f"above_best_single.{name}": value for name, value in stretches(rewards - best).items()}
    figures = stretches(rewards) | {
        "regret": float((oracle - rewards).sum()),
        "cost": float(spent(stream, trace).mean()),
        "effective_models": math.exp(-float((shares[shares > 0] * np.log(shares[shares > 0])).sum())),
        "largest_share": float(shares.max()),
        "best_single": float(best.mean()),
    }
    curves = {
        "reward": binned(rewards),
        "best_single": binned(best),
        "regret": (oracle - rewards).cumsum()[_ends(len(stream)) - 1],
        "shares": binned(np.eye(models)[trace.chosen]),
    }
    return Pass(figures=figures | above, curves=curves, findings=scenario.findings(stream, trace))


def _ends(size: int) -> Ints:
    """Where the bins of a pass end; there are fewer in a short one."""
    bins = min(BINS, size)
    return np.arange(1, bins + 1) * size // bins


def binned(values: Floats) -> Floats:
    """Means (B, ...) of consecutive stretches of ``values`` (T, ...)."""
    ends = _ends(len(values))
    starts = np.concatenate([[0], ends[:-1]])
    means: Floats = np.add.reduceat(values, starts, axis=0) / (ends - starts).reshape(-1, *[1] * (values.ndim - 1))
    return means


def half_width(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of a mean (Student's t); zero for one value."""
    if len(values) < 2:
        return 0.0
    from scipy.special import stdtrit

    return float(stdtrit(len(values) - 1, 0.975) * np.std(values, ddof=1) / math.sqrt(len(values)))


def way(start: Sequence[float], end: Sequence[float], reached: Sequence[float]) -> dict[str, float] | None:
    """How much of the way from ``start`` to ``end`` is covered, paired over the seeds, with a jackknife interval.

    ``None`` where there is no way to go.
    """
    gained, possible = np.subtract(reached, start), np.subtract(end, start)
    if possible.mean() <= 0:
        return None
    share = float(gained.mean() / possible.mean())
    if len(gained) < 2:
        return {"share": share, "interval_95": 0.0}
    without = (gained.sum() - gained) / (possible.sum() - possible)
    return {"share": share, "interval_95": half_width(((len(gained) - 1) * without).tolist())}


def summarised(scenario: Scenario, passes: Sequence[Pass], models: Sequence[str]) -> dict[str, Any]:
    """Everything that the results tell of a policy in a scenario."""
    means = averaged([each.figures for each in passes])
    by_seed = {name: [each.figures[name] for each in passes] for name in means}
    plain = {name: value for name, value in means.items() if "." not in name}
    shares = averaged([each.curves for each in passes])["shares"]
    return {
        **plain,
        **scenario.concluded([each.findings for each in passes]),
        "above_best_single": {
            name.partition(".")[2]: {"difference": means[name], "interval_95": half_width(by_seed[name])}
            for name in means
            if "." in name
        },
        "interval_95": {name: half_width(by_seed[name]) for name in plain},
        "shares": dict(zip(models, np.mean(shares, axis=0).tolist(), strict=True)),
        "by_seed": {name: by_seed[name] for name in plain}
        | {
            name: [each.findings[name] for each in passes]
            for name, value in passes[0].findings.items()
            if not np.ndim(value)
        },
    }
