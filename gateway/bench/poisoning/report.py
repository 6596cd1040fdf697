"""What a run showed: figures, and the bars that they are held to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from rich.table import Table

from gateway.bench.poisoning.plan import PASSES, Course


class Quality(msgspec.Struct, frozen=True):
    """The mean true quality of the models that answered, over the last half of the requests, and over all."""

    last_half: float
    whole: float


class Cost(msgspec.Struct, frozen=True):
    """Quality lost to hostility over the last half, beside the clean pass: the mean over seeds and its error."""

    mean: float
    error: float
    whole: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run. ``quarantined`` are the parts of the sources that were taken for dishonest at least once, and
    ``audited`` the part of the answers that an auditor judged while there were attackers and defences.
    """

    seeds: int
    requests: int
    models: list[str]
    best: str
    worst: str
    quality: dict[str, Quality]
    defended: Cost
    undefended: Cost
    honest_quarantined: float
    honest_quarantined_clean: float
    hostile_quarantined: float
    audited: float
    revoked: int
    revoked_live_difference: float
    revoked_saved_difference: float
    by_seed: list[dict[str, Quality]]

    @property
    def ratio(self) -> float:
        """How many times as much hostility costs without the defences; infinite where it costs nothing with them."""
        return self.undefended.mean / self.defended.mean if self.defended.mean > 0 else math.inf


class Bar(msgspec.Struct, frozen=True):
    """One figure, what it is held to, and whether it clears that."""

    name: str
    shown: str
    bar: str
    met: bool


def found(courses: Sequence[Course], models: Sequence[str]) -> Found:
    """The figures of all seeds together."""
    by_seed = [{name: _quality(each.passes[name].quality) for name in PASSES} for each in courses]
    first = courses[0].population
    return Found(
        seeds=len(courses),
        requests=len(first.rows),
        models=list(models),
        best=models[first.best],
        worst=models[first.worst],
        quality={name: _mean([each[name] for each in by_seed]) for name in PASSES},
        defended=_cost(by_seed, "defended"),
        undefended=_cost(by_seed, "undefended"),
        honest_quarantined=_part(courses, "defended", hostile=False),
        honest_quarantined_clean=_part(courses, "clean", hostile=False),
        hostile_quarantined=_part(courses, "defended", hostile=True),
        audited=sum(each.passes["defended"].audited for each in courses) / (len(courses) * len(first.rows)),
        revoked=sum(each.forgotten.outcomes for each in courses),
        revoked_live_difference=max(each.forgotten.live for each in courses),
        revoked_saved_difference=max(each.forgotten.saved for each in courses),
        by_seed=by_seed,
    )


def _quality(values: Sequence[float]) -> Quality:
    return Quality(float(np.mean(values[len(values) // 2 :])), float(np.mean(values)))


def _mean(each: Sequence[Quality]) -> Quality:
    return Quality(float(np.mean([one.last_half for one in each])), float(np.mean([one.whole for one in each])))


def _cost(by_seed: Sequence[dict[str, Quality]], name: str) -> Cost:
    last = [each["clean"].last_half - each[name].last_half for each in by_seed]
    error = float(np.std(last, ddof=1)) / math.sqrt(len(last)) if len(last) > 1 else math.nan
    return Cost(
        float(np.mean(last)), error, float(np.mean([each["clean"].whole - each[name].whole for each in by_seed]))
    )


def _part(courses: Sequence[Course], name: str, *, hostile: bool) -> float:
    """The part of the sources that a pass took for dishonest; in the clean pass all are honest."""
    taken, all_of_them = 0, 0
    for each in courses:
        kinds = (True, False) if name == "clean" else (hostile,)
        known = {user for kind in kinds for user in each.population.names(hostile=kind)}
        taken += len(each.passes[name].dishonest & known)
        all_of_them += len(known)
    return taken / max(all_of_them, 1)


def bars(figures: Found) -> list[Bar]:
    """What was found, beside what it is held to."""
    cost, ratio = figures.defended.mean, figures.ratio
    times = "no cost at all with them" if math.isinf(ratio) else f"{ratio:.1f} times"
    worst = max(figures.honest_quarantined, figures.honest_quarantined_clean)
    left = max(figures.revoked_live_difference, figures.revoked_saved_difference)
    thrice = figures.undefended.mean > 0 and ratio >= 3
    return [
        Bar("cost of hostility", f"{cost:+.4f} ± {figures.defended.error:.4f}", "at most .01", cost <= 0.01),
        Bar("without the defences", f"{figures.undefended.mean:+.4f}, {times}", "at least 3 times", thrice),
        Bar("honest sources ever quarantined", f"{worst:.1%}", "at most 3 %", worst <= 0.03),
        Bar("difference after the revocation", f"{left:g}", "none", left == 0.0),
    ]


def table(figures: Found) -> Table:
    """The figures for people."""
    shown = Table("", "clean", "defended", "undefended", title=f"{figures.requests:,} requests, {figures.seeds} seeds")
    quality = [figures.quality[name] for name in PASSES]
    shown.add_row("quality, last half", *(f"{each.last_half:.4f}" for each in quality))
    shown.add_row("quality, whole", *(f"{each.whole:.4f}" for each in quality))
    shown.add_row("answers audited", "", f"{figures.audited:.1%}", "")
    shown.add_row("hostile sources quarantined", "", f"{figures.hostile_quarantined:.0%}", "")
    taken = [f"{part:.1%}" for part in (figures.honest_quarantined_clean, figures.honest_quarantined)]
    shown.add_row("honest sources quarantined", *taken, "")
    return shown
