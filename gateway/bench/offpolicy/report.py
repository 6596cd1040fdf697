"""What a run found: ``results.json``, and tables for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table

from gateway.bench.offpolicy.study import ESTIMATORS, RECOMMENDED, Question
from gateway.bench.offpolicy.traffic import TARGETS
from gateway.bench.offpolicy.world import ARMS, REWARDS

COVERAGE, WIDTH, RATIO = 0.93, 0.1, 0.5
"""What is asked: coverage at least, median width at most, root mean squared error against that of IPS at most."""

METHOD: Final = (
    "Each log is the default router's, learning in a random world: 500 decisions before the log begins, then those of "
    "the log, with a new snapshot after every tenth. Every log is asked about eight policies, and none of them has "
    "seen it: the router as it was when the log began; that, exploring half as much; that, with a tenth at random; a "
    "quarter and then a half of the requests given to a rival; the rival (LinUCB, having learned elsewhere from random "
    "choices); always the second most chosen arm; uniformly random. The truth is exact: a world has 1000 different "
    "requests. width is the median, rmse the root mean squared error, to_ips its ratio to that of IPS on the same "
    "questions. largest_weight and effective_sample_size are medians. ever_excluded is the share of questions whose "
    "95 % confidence sequence excluded the truth at any time."
)


def document(questions: Sequence[Question], *, seed: int, decisions: int) -> dict[str, Any]:
    """The whole of ``results.json``."""
    groups: dict[str, Callable[[Question], object]] = {
        "by_target": lambda question: question.target,
        "by_rewards": lambda question: question.rewards,
        "by_arms": lambda question: question.arms,
    }
    values: dict[str, Sequence[object]] = {"by_target": TARGETS, "by_rewards": REWARDS, "by_arms": ARMS}
    pooled = _figures(questions)
    parts = {
        group: {str(value): _figures(part) for value in values[group] if (part := _where(questions, key, value))}
        for group, key in groups.items()
    }
    return {
        "logs": len({question.log for question in questions}),
        "decisions": decisions,
        "seed": seed,
        "recommended": RECOMMENDED,
        "pooled": pooled,
        **parts,
        "bars": _bars(pooled, parts),
        "method": METHOD,
    }


def _where(questions: Sequence[Question], key: Callable[[Question], object], value: object) -> list[Question]:
    return [question for question in questions if key(question) == value]


def _figures(questions: Sequence[Question]) -> dict[str, Any]:
    reference = _rmse(questions, "ips")
    estimates = [question.estimates["ips"] for question in questions]
    return {
        "questions": len(questions),
        "effective_sample_size": round(float(np.median([each.effective_sample_size for each in estimates])), 1),
        "largest_weight": round(float(np.median([each.largest_weight for each in estimates])), 1),
        "estimators": {name: _judged(questions, name, reference) for name in (*ESTIMATORS, RECOMMENDED)},
        "confidence_sequence": {
            "ever_excluded": round(float(np.mean([question.ever_excluded for question in questions])), 4),
            "width": round(float(np.median([high - low for low, high in (each.sequence for each in questions)])), 4),
        },
    }


def _judged(questions: Sequence[Question], name: str, reference: float) -> dict[str, float]:
    rmse = _rmse(questions, name)
    return {
        "coverage": round(float(np.mean([question.covered(name) for question in questions])), 4),
        "width": round(float(np.median([question.estimates[name].width for question in questions])), 4),
        "rmse": round(rmse, 5),
        "bias": round(float(np.mean([question.error(name) for question in questions])), 5),
        "to_ips": round(rmse / reference, 4) if reference else 0.0,
    }


def _rmse(questions: Sequence[Question], name: str) -> float:
    return float(np.sqrt(np.mean([question.error(name) ** 2 for question in questions])))


def _bars(pooled: dict[str, Any], parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The bars over all questions pooled, and the worst of any part."""
    every = [part["estimators"][RECOMMENDED] for group in parts.values() for part in group.values()]
    found = pooled["estimators"][RECOMMENDED]
    return {
        "coverage": _bar(found["coverage"], min(part["coverage"] for part in every), at_least=COVERAGE),
        "width": _bar(found["width"], max(part["width"] for part in every), at_most=WIDTH),
        "to_ips": _bar(found["to_ips"], max(part["to_ips"] for part in every), at_most=RATIO),
    }


def _bar(value: float, worst: float, *, at_least: float = -np.inf, at_most: float = np.inf) -> dict[str, Any]:
    asked = at_least if at_most == np.inf else at_most
    return {"value": value, "worst": worst, "bar": asked, "met": bool(at_least <= value <= at_most)}


def tables(results: dict[str, Any]) -> Group:
    """All estimators pooled, the recommended one by part, and the bars."""
    return Group(_estimators(results["pooled"]), _parts(results), _judgement(results["bars"]))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _row(figures: dict[str, float]) -> list[str]:
    return [
        f"{figures['coverage']:.1%}",
        f"{figures['width']:.3f}",
        f"{figures['rmse']:.4f}",
        f"{figures['bias']:+.4f}",
        f"{figures['to_ips']:.2f}",
    ]


def _estimators(pooled: dict[str, Any]) -> Table:
    table = _table("Estimators, all questions", "coverage", "width", "RMSE", "bias", "to IPS's")
    for name, figures in pooled["estimators"].items():
        table.add_row(name, *_row(figures))
    sequence = pooled["confidence_sequence"]
    held = f"{1 - sequence['ever_excluded']:.1%}"
    table.add_row("confidence sequence", held, f"{sequence['width']:.3f}", "", "", "")
    return table


def _parts(results: dict[str, Any]) -> Table:
    columns = ("sample", "coverage", "width", "RMSE", "bias", "to IPS's")
    table = _table("The recommended estimator by part; sample is the effective one", *columns)
    for group in ("by_target", "by_rewards", "by_arms"):
        for name, part in results[group].items():
            label = f"{name} arms" if group == "by_arms" else name.replace("_", " ")
            table.add_row(label, f"{part['effective_sample_size']:.0f}", *_row(part["estimators"][RECOMMENDED]))
        table.add_section()
    return table


def _judgement(bars: dict[str, Any]) -> Table:
    table = _table("What is asked of it", "measured", "asked", "met", "worst part")
    for name, bar in bars.items():
        sign, met = "≥" if name == "coverage" else "≤", "[green]yes[/]" if bar["met"] else "[red]no[/]"
        table.add_row(
            name.replace("_", " "), f"{bar['value']:.3f}", f"{sign} {bar['bar']:g}", met, f"{bar['worst']:.3f}"
        )
    return table
