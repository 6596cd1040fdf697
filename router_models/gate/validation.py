"""Whether a candidate may go live: it must be sound, and sane beside a version that is trusted.

Sanity is judged by evidence. Traffic may rightly move from one arm to another within a hundred requests, when an arm
fails; but then the latest outcomes speak for it. So a candidate is refused where it predicts them worse than the
trusted version does, and the more it moves, the less it takes. What normal learning reaches at most, over 1,700
candidates on recorded outcomes (arms that die, fail and recover, topics that come and go, feedback 300 requests late),
and what candidates with arms permuted reach at least, stands beside each limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from router_models.gate.evidence import Evidence, Outcomes
from router_models.policy import InvalidState, Snapshot, Vector

SURPRISING: Final = 3.0
"""Standard errors by which a candidate may predict worse. Learning reaches 2.3."""

MOVED: Final = 0.3
UNFOUNDED: Final = 1.0
"""A candidate that moves more of the traffic may predict worse by so many only. Learning then reaches .5."""

PRESSURE: Final = 2.0
"""What the favourite arm is made to pay, in units of reward: about the share cap's highest price."""

ENOUGH: Final = 32
"""Outcomes below which nothing is said of sanity."""

ROUNDING: Final = 1e-9


class Finding(NamedTuple):
    """Something wrong with a candidate: which check, and what it found."""

    check: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found; none of it, and the candidate may go live. Figures are for the record.

    ``moved`` is the total variation between the candidate's choices and the trusted version's, ``worse`` by how many
    standard errors it predicts worse, ``largest`` the largest share that an arm would have of the requests looked at,
    ``effective`` the exponential of the shares' entropy.
    """

    findings: tuple[Finding, ...]
    moved: float = 0.0
    worse: float = 0.0
    largest: float = 1.0
    effective: float = 1.0


def examine(
    candidate: Snapshot, *, trusted: Snapshot, evidence: Evidence, floor: float = 0.0, cap: float | None = None
) -> Examination:
    """Look at a candidate; ``floor`` is the exploration mass that it owes to the arms, spread evenly, ``cap`` the
    largest share that an arm may have.
    """
    try:
        candidate.check()
    except InvalidState as error:
        return Examination(findings=(Finding("sound", str(error)),))
    seen = evidence.among(tuple(arm for arm in candidate.arms if arm in trusted.arms))
    if len(seen.rewards) < ENOUGH:
        return Examination(findings=())
    shares = _choices(candidate, seen)
    mean = shares.mean(axis=0)
    faults = _distributions(shares, floor) or _collapse(candidate, seen, int(mean.argmax()), cap)
    if faults:
        return Examination(findings=tuple(faults))
    moved = _moved(candidate, trusted.priced(candidate), seen, mean)
    worse = _worse(candidate, trusted, seen)
    return Examination(
        findings=tuple(_sanity(moved, worse)),
        moved=moved,
        worse=worse,
        largest=float(mean.max()),
        effective=float(np.exp(-(mean * np.log(np.maximum(mean, 1e-300))).sum())),
    )


def _choices(snapshot: Snapshot, seen: Outcomes, *, dear: int | None = None) -> Vector:
    """Probabilities (n, K), one arm being ``dear`` if any is."""
    everyone = np.ones((len(seen.rewards), len(snapshot.arms)), dtype=np.bool_)
    if dear is None:
        return snapshot.propose_all(seen.features, eligible=everyone).probabilities
    costs = np.zeros(everyone.shape)
    costs[:, dear] = 1.0
    return snapshot.propose_all(seen.features, eligible=everyone, costs=costs, cost_weight=PRESSURE).probabilities


def _distributions(shares: Vector, floor: float) -> list[Finding]:
    """Every row is a distribution in which no arm's share falls below the floor."""
    if not np.isfinite(shares).all() or np.abs(shares.sum(axis=1) - 1.0).max() > ROUNDING:
        return [Finding("distribution", "its probabilities do not sum to one")]
    least = floor / shares.shape[1]
    if shares.min() < least - ROUNDING:
        return [Finding("floor", f"it gives an arm {shares.min():.2g}, and owes each {least:.2g}")]
    return []


def _collapse(candidate: Snapshot, seen: Outcomes, favourite: int, cap: float | None) -> list[Finding]:
    """Whether the share cap has a hold on the candidate: its favourite arm must give way when it is dear."""
    if cap is None or len(candidate.arms) == 1:
        return []
    share = float(_choices(candidate, seen, dear=favourite)[:, favourite].mean())
    if share <= cap:
        return []
    arm = candidate.arms[favourite]
    return [Finding("collapse", f"{arm} keeps {share:.0%} of the requests at any price, and may have {cap:.0%}")]


def _moved(candidate: Snapshot, trusted: Snapshot, seen: Outcomes, mean: Vector) -> float:
    """Total variation between the shares of traffic that both give the arms, under the same prices."""
    before: dict[str, float] = dict(zip(trusted.arms, _choices(trusted, seen).mean(axis=0).tolist(), strict=True))
    after: dict[str, float] = dict(zip(candidate.arms, mean.tolist(), strict=True))
    return 0.5 * sum(abs(after.get(arm, 0.0) - before.get(arm, 0.0)) for arm in before.keys() | after.keys())


def _worse(candidate: Snapshot, trusted: Snapshot, seen: Outcomes) -> float:
    """By how many standard errors the candidate's squared errors exceed the trusted version's, outcome by outcome."""
    excess = _errors(candidate, seen) ** 2 - _errors(trusted, seen) ** 2
    error = float(excess.std() / np.sqrt(len(excess)))
    return float(excess.mean()) / max(error, ROUNDING)


def _errors(snapshot: Snapshot, seen: Outcomes) -> Vector:
    places = {arm: place for place, arm in enumerate(snapshot.arms)}
    own = [places[arm] for arm in seen.arms]
    errors: Vector = seen.rewards - snapshot.expected(seen.features)[np.arange(len(own)), own]
    return errors


def _sanity(moved: float, worse: float) -> list[Finding]:
    if worse > SURPRISING:
        return [Finding("sane", f"it predicts recent outcomes worse than the trusted version, by {worse:.1f} errors")]
    if moved > MOVED and worse > UNFOUNDED:
        return [Finding("sane", f"it moves {moved:.0%} of the requests, and predicts recent outcomes worse")]
    return []
