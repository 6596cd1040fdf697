"""What a run found: ``results.json``, and tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table

from gateway.bench.demo import findings
from gateway.bench.demo.plan import Outcomes, Plan

METHOD = (
    "Every session has a gateway and specialists of its own, spoken to over HTTP. learning: the cards as they are; "
    "swapped: two descriptions have changed places; frozen: the same without learning. The router is asked one prompt "
    "at a time and told the score before the next one. Every model alone answers the same prompts. Scores are computed "
    "from the prompt's right answer alone. A gain is the last third's mean less the first third's, with the 95 % "
    "interval of a difference of means; it is clear when the interval leaves out zero."
)


def document(plan: Plan, *, singles: Outcomes, routed: Outcomes) -> dict[str, Any]:
    """The whole of ``results.json``."""
    alone = {model: findings.single(outcomes) for model, outcomes in singles.items()}
    scenarios = {name: findings.scenario(outcomes) for name, outcomes in routed.items()}
    return {
        "requests": plan.requests,
        "seed": plan.seed,
        "swap": list(plan.swap),
        "method": METHOD,
        "best_single": max(alone, key=lambda model: alone[model]["mean"]),
        "singles": alone,
        "scenarios": scenarios,
        "bars": findings.bars(alone, scenarios),
    }


def tables(results: Mapping[str, Any]) -> Group:
    """Scores over time, scores by kind of prompt, who answered, and the bars."""
    scenarios = results["scenarios"]
    return Group(_learning(results), _kinds(results), _shares(scenarios), _bars(results["bars"]))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _learning(results: Mapping[str, Any]) -> Table:
    title = f"Mean scores; {' and '.join(results['swap'])} are swapped"
    table = _table(title, "all", "first third", "middle", "last", "gain")
    for name, found in results["scenarios"].items():
        low, high = found["gain_interval"]
        gain = f"{found['gain']:+.2f} ±{(high - low) / 2:.2f}"
        table.add_row(name, f"{found['mean']:.2f}", *(f"{third:.2f}" for third in found["thirds"]), gain)
    best = results["best_single"]
    found = results["singles"][best]
    table.add_row(f"{best} alone", f"{found['mean']:.2f}", "", "", f"{found['last_third']:.2f}", "")
    return table


def _kinds(results: Mapping[str, Any]) -> Table:
    scenarios, singles = results["scenarios"], results["singles"]
    table = _table(
        "Mean scores by kind of prompt; each model alone below", *next(iter(scenarios.values()))["by_kind"], "all"
    )
    for name, found in scenarios.items():
        table.add_row(name, *_cells(found))
    table.add_section()
    for model, found in sorted(singles.items(), key=lambda pair: -pair[1]["mean"]):
        table.add_row(model, *_cells(found))
    return table


def _cells(found: Mapping[str, Any]) -> list[str]:
    return [f"{value:.2f}" for value in (*found["by_kind"].values(), found["mean"])]


def _shares(scenarios: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table("Shares of the requests", *scenarios)
    for model in sorted({model for found in scenarios.values() for model in found["shares"]}):
        table.add_row(model, *(f"{found['shares'].get(model, 0.0):.0%}" for found in scenarios.values()))
    table.add_section()
    table.add_row("effective models", *(f"{found['effective_models']:.1f}" for found in scenarios.values()))
    return table


def _bars(bars: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table("What learning promises", "found", "bar", "met")
    for name, bar in bars.items():
        met = "[green]yes[/]" if bar["met"] else "[red]no[/]"
        table.add_row(name, f"{bar['value']:.3f}", f"{bar['bar']:.3f}", met)
    return table
