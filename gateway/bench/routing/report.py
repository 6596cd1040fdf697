"""What a run found: ``results.json``, and a table for people."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.bench.routing import contenders, references
from gateway.bench.routing.figures import Pass, half_width, summarised, way
from gateway.bench.routing.plan import Plan, Prepared
from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.runner import Task, by_seed
from gateway.bench.routing.scenarios import COMPANIONS
from gateway.bench.routing.scenarios.scenario import averaged

METHOD = (
    "Every pass replays recorded outcomes once and reveals only those of the chosen models. A seed is an order of the "
    "requests and a stream of draws, the same for every policy, so differences are paired. Intervals are 95 % "
    "(Student's t over the seeds), given as half their width. regret is against the best model for each request. "
    "above_best_single is against the best single model in hindsight on the same requests. References see the plain "
    "stream; the full-information ones predict first and then learn every model's outcome. way_to_ridge is how much of "
    "the way from the best single model to the full-information ridge the last quarter has covered, with the interval "
    "by jackknife over the seeds."
)
LIBRARIES = ("polyculture", "numpy", "onnxruntime", "paretobandit", "vowpalwabbit", "mabwiser")


def document(
    plan: Plan, data: Recorded, prepared: Prepared, passes: dict[Task, Pass], *, wall_s: float
) -> dict[str, Any]:
    """The whole of ``results.json``."""
    return {
        "data": described(plan, data, prepared),
        "seeds": plan.seeds,
        "references": {name: found["mean"] for name, found in referred(passes).items()},
        "policies": {name: by_scenario(name, prepared, passes) for name in prepared.policies},
        "reference_details": referred(passes),
        "settings": {name: contenders.settings(name, data=data) for name in prepared.policies},
        "notes": list(prepared.notes),
        "method": METHOD,
        "wall_s": round(wall_s, 1),
        "machine": {"cores": os.cpu_count(), "jobs": plan.jobs, "python": platform.python_version()},
        "versions": {library: version for library in LIBRARIES if (version := _version(library))},
    }


def described(plan: Plan, data: Recorded, prepared: Prepared) -> dict[str, Any]:
    """What was measured on."""
    world = prepared.world
    return {
        "file": data.name,
        "sha256": data.digest,
        "rows": len(world.rows),
        "rows_before": 0 if world.warm is None else len(world.warm),
        "models": list(data.models),
        "costs": data.cost is not None,
        "split": plan.split,
        "warm": plan.warm,
        "without": list(plan.without),
        "embedder": plan.embedder,
        "best_single": data.models[data.best(world.rows)],
        "quality": dict(zip(data.models, data.quality[world.rows].mean(axis=0).tolist(), strict=True)),
        "cost": {}
        if data.cost is None
        else dict(zip(data.models, data.cost[world.rows].mean(axis=0).tolist(), strict=True)),
    }


def referred(passes: dict[Task, Pass]) -> dict[str, dict[str, Any]]:
    """Every reference in figures."""
    found = by_seed(passes, "", ("", ""))
    means = averaged([each.figures for each in found])
    details: dict[str, dict[str, Any]] = {name: {} for name in references.NAMES}
    for key, value in means.items():
        name, _, stretch = key.partition(".")
        details[name][stretch] = value
        details[name].setdefault("interval_95", {})[stretch] = half_width([each.figures[key] for each in found])
        details[name].setdefault("by_seed", {})[stretch] = [each.figures[key] for each in found]
    return details


def by_scenario(policy: str, prepared: Prepared, passes: dict[Task, Pass]) -> dict[str, Any]:
    """A policy's figures, companions within their scenarios."""
    models = prepared.world.material.data.models
    found: dict[str, Any] = {}
    for (name, label), scenario in prepared.world.scenarios.items():
        summary = summarised(scenario, by_seed(passes, policy, (name, label)), models)
        if label:
            found[name][label] = summary
        else:
            found[name] = summary
    if "stationary" in found:
        stationary, details = found["stationary"], referred(passes)
        start, end = (details[name]["by_seed"]["last_quarter"] for name in ("best_single", "full_information_ridge"))
        stationary["way_to_ridge"] = way(start, end, stationary["by_seed"]["last_quarter"])
    return found


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def table(results: Mapping[str, Any]) -> str:
    """All figures as Markdown: the references, then every scenario with the best policy first."""
    data = results["data"]
    lines = [
        f"# {data['file']}: {data['rows']} requests, {len(data['models'])} models, {results['seeds']} seeds",
        "",
        f"Best single model in hindsight: {data['best_single']}. ± is half of a 95 % interval over the seeds.",
        "",
        *_rows(("reference", "mean", "first 500", "last quarter", "regret"), _references(results)),
    ]
    for scenario in next(iter(results["policies"].values()), {}):
        lines += ["", f"## {scenario}", "", *_rows(COLUMNS, _policies(results, scenario))]
    lines += ["", *results["notes"], "", f"{results['wall_s']:.0f} s on {results['machine']['jobs']} processes."]
    return "\n".join(lines) + "\n"


COLUMNS = ("policy", "mean", "above best single", "first 500", "last quarter", "regret", "USD", "models", "largest", "")


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    line = " | ".join(["---", *["---:"] * (len(columns) - 1)])
    return [f"| {' | '.join(columns)} |", f"| {line} |", *(f"| {' | '.join(row)} |" for row in rows)]


def _references(results: Mapping[str, Any]) -> list[list[str]]:
    details = results["reference_details"]
    stretches = ("mean", "first_500", "last_quarter")
    return [
        [name, *(f"{details[name][stretch]:.4f}" for stretch in stretches), f"{details[name]['regret']:.1f}"]
        for name in references.NAMES
    ]


def _policies(results: Mapping[str, Any], scenario: str) -> list[list[str]]:
    found = {name: scenarios[scenario] for name, scenarios in results["policies"].items()}
    rows = []
    for name, figures in sorted(found.items(), key=lambda pair: -pair[1]["mean"]):
        rows.append(_cells(name, figures))
        rows += [
            _cells(f"{name}, {label.replace('_', ' ')}", figures[label])
            for label in COMPANIONS.values()
            if label in figures
        ]
    return rows


SPECIAL = {
    "share_window_max": "window {:.3f}",
    "flipped": "flipped {:.3f}",
    "adopted": "adopted at {:.0f}",
    "recovered": "recovered {:.4f}",
    "after": "after {:.4f}",
    "cost_of_budget": "{:.2f} budgets",
    "way_to_ridge": "{0[share]:.0%} ± {0[interval_95]:.0%} of the way to the ridge",
}
"""The figure that a scenario is about."""


def _cells(name: str, figures: Mapping[str, Any]) -> list[str]:
    above, half = figures["above_best_single"]["mean"], figures["interval_95"]
    special = [text.format(figures[key]) for key, text in SPECIAL.items() if figures.get(key) is not None]
    return [
        name,
        f"{figures['mean']:.4f} ± {half['mean']:.4f}",
        f"{above['difference']:+.4f} ± {above['interval_95']:.4f}",
        f"{figures['first_500']:.4f}",
        f"{figures['last_quarter']:.4f}",
        f"{figures['regret']:.1f}",
        f"{figures['cost']:.3g}",
        f"{figures['effective_models']:.1f}",
        f"{figures['largest_share']:.2f}",
        ", ".join(special),
    ]
