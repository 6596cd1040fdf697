"""What the sessions show, and whether it is what learning promises."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, variance
from typing import Any

from gateway.bench.demo.session import Outcome
from gateway.config import Routing

CLEAR = 1.96
"""Standard errors that a difference must exceed to be called clear (95 %)."""


def thirds(scores: Sequence[float]) -> list[list[float]]:
    """The first, the middle and the last third."""
    size = len(scores) // 3
    return [list(scores[:size]), list(scores[size : len(scores) - size]), list(scores[len(scores) - size :])]


def gain(scores: Sequence[float]) -> tuple[float, float]:
    """How much the last third's mean is above the first's, and half the width of its 95 % interval."""
    first, _, last = thirds(scores)
    error = math.sqrt(variance(first) / len(first) + variance(last) / len(last))
    return fmean(last) - fmean(first), CLEAR * error


def scenario(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A router's session in figures; ``scores`` and ``models`` are request by request."""
    scores = [outcome.score for outcome in outcomes]
    counts = Counter(str(outcome.model) for outcome in outcomes)
    shares = {model: count / len(outcomes) for model, count in counts.most_common()}
    risen, margin = gain(scores)
    return {
        "mean": fmean(scores),
        "thirds": [fmean(third) for third in thirds(scores)],
        "gain": risen,
        "gain_interval": [risen - margin, risen + margin],
        "largest_share": max(shares.values()),
        "effective_models": math.exp(-sum(share * math.log(share) for share in shares.values())),
        "shares": shares,
        "by_kind": by_kind(outcomes),
        "scores": scores,
        "models": [outcome.model for outcome in outcomes],
    }


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The mean score of each kind of prompt."""
    kinds = sorted({outcome.kind for outcome in outcomes})
    return {kind: fmean(each.score for each in outcomes if each.kind == kind) for kind in kinds}


def single(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """One model alone, in figures."""
    scores = [outcome.score for outcome in outcomes]
    return {"mean": fmean(scores), "last_third": fmean(thirds(scores)[-1]), "by_kind": by_kind(outcomes)}


def bars(singles: Mapping[str, Mapping[str, Any]], scenarios: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What learning promises, each with the value found, the bar it is held to, and whether it is met."""
    judged: dict[str, Any] = {}
    cap = Routing().share_cap or 1.0
    best = max((max(each["mean"], each["last_third"]) for each in singles.values()), default=0.0)
    for name, found in scenarios.items():
        if name == "frozen":
            judged["frozen: no clear gain"] = _at_most(found["gain_interval"][0], 0.0)
            continue
        judged[f"{name}: last third above the best single model"] = _above(found["thirds"][-1], best)
        judged[f"{name}: largest share under the cap"] = _at_most(found["largest_share"], cap)
    if "swapped" in scenarios:
        judged["swapped: clear gain"] = _above(scenarios["swapped"]["gain_interval"][0], 0.0)
    return judged


def _above(value: float, bar: float) -> dict[str, Any]:
    return {"value": value, "bar": bar, "met": value > bar}


def _at_most(value: float, bar: float) -> dict[str, Any]:
    return {"value": value, "bar": bar, "met": value <= bar}
