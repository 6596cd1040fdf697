"""The pictures of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.bench.routing.contenders import FIXED, OURS
from gateway.bench.routing.figures import Pass
from gateway.bench.routing.plan import Prepared
from gateway.bench.routing.recorded import Floats
from gateway.bench.routing.runner import Key, Task, by_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHANGES = ("failure", "price", "onboarding", "departure", "drift")
"""Scenarios in which something changes midway."""

SMOOTH = 7
"""Points of a curve that a running mean is taken over."""


def draw(prepared: Prepared, passes: dict[Task, Pass], results: dict[str, Any], folder: Path) -> list[str]:
    """Write the pictures that there is something for; gives their names."""
    first: Key = next(iter(prepared.world.scenarios))
    learners = [name for name in prepared.policies if not name.startswith(FIXED)]
    figures = {
        "reward.png": _reward(passes, learners, first),
        "regret.png": _regret(passes, learners, first),
        "shares.png": _shares(passes, learners, first, results["data"]["models"]),
    }
    if results["data"]["costs"]:
        figures["cost.png"] = _cost(results, first[0])
    changes = [name for name in CHANGES if name in prepared.scenarios]
    if changes:
        figures["adaptation.png"] = _adaptation(passes, learners, changes)
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=130)
    return list(figures)


def _figure(width: float = 9.0, height: float = 5.0) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _curve(passes: dict[Task, Pass], policy: str, scenario: Key, name: str) -> Floats:
    """A curve's mean over the seeds."""
    mean: Floats = np.mean([each.curves[name] for each in by_seed(passes, policy, scenario)], axis=0)
    return mean


def _smooth(values: Floats) -> Floats:
    """A running mean, over fewer points at both ends."""
    width = min(SMOOTH, len(values))
    ones = np.ones(width)
    smooth: Floats = np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
    return smooth


def _line(axes: Axes, values: Floats, label: str, *, reference: bool = False) -> None:
    style: dict[str, Any] = {"linestyle": "--", "color": "0.35" if "best" in label else "0.65"} if reference else {}
    width = 2.4 if label == OURS else 1.2
    axes.plot(np.arange(1, len(values) + 1) / len(values), values, label=label, linewidth=width, **style)


def _finish(figure: Figure, axes: Axes, title: str, ylabel: str) -> Figure:
    axes.set(title=title, xlabel="share of the pass", ylabel=ylabel)
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure


def _reward(passes: dict[Task, Pass], policies: Sequence[str], scenario: Key) -> Figure:
    """Reward over time, against the best single model and the full-information ridge."""
    figure = _figure()
    axes = figure.subplots()
    for policy in policies:
        _line(axes, _smooth(_curve(passes, policy, scenario, "reward")), policy)
    for name in ("best_single", "full_information_ridge"):
        _line(axes, _smooth(_curve(passes, "", ("", ""), name)), name.replace("_", " "), reference=True)
    return _finish(figure, axes, f"Reward over time ({scenario[0]})", "reward, running mean")


def _regret(passes: dict[Task, Pass], policies: Sequence[str], scenario: Key) -> Figure:
    """Regret against the best model for each request."""
    figure = _figure()
    axes = figure.subplots()
    for policy in policies:
        _line(axes, _curve(passes, policy, scenario, "regret"), policy)
    return _finish(figure, axes, f"Regret against the oracle ({scenario[0]})", "sum so far")


def _shares(passes: dict[Task, Pass], policies: Sequence[str], scenario: Key, models: Sequence[str]) -> Figure:
    """Who answered, over time, by our policy or the first one."""
    shown = OURS if OURS in policies else next(iter(policies), None)
    figure = _figure()
    axes = figure.subplots()
    if shown is not None:
        shares = _curve(passes, shown, scenario, "shares")
        axes.stackplot(np.arange(1, len(shares) + 1) / len(shares), shares.T, labels=models, alpha=0.85)
    return _finish(figure, axes, f"Shares of the requests ({shown}, {scenario[0]})", "share")


def _cost(results: dict[str, Any], scenario: str) -> Figure:
    """Quality against cost: every policy and every model alone."""
    figure = _figure()
    axes = figure.subplots()
    data = results["data"]
    for model, cost in data["cost"].items():
        axes.plot(cost, data["quality"][model], "x", color="0.5")
        axes.annotate(model.rpartition("/")[2], (cost, data["quality"][model]), fontsize=7, color="0.5")
    learners = [name for name in results["policies"] if not name.startswith(FIXED)]
    for place, policy in enumerate(learners):
        found = results["policies"][policy]
        for name, marker in ((scenario, "o"), ("budget", "s")):
            if name in found:
                label = policy if name == scenario else None
                axes.plot(found[name]["cost"], found[name]["mean"], marker, color=f"C{place}", label=label)
    axes.set_xscale("log")
    finished = _finish(figure, axes, "Quality against cost (squares: with a budget)", "mean reward")
    axes.set_xlabel("mean USD of a request")
    return finished


def _adaptation(passes: dict[Task, Pass], policies: Sequence[str], scenarios: Sequence[str]) -> Figure:
    """Reward over time where something changes."""
    figure = _figure(5.0 * len(scenarios) + 2.0, 4.5)
    for axes, scenario in zip(np.atleast_1d(figure.subplots(1, len(scenarios))), scenarios, strict=True):
        for policy in policies:
            _line(axes, _smooth(_curve(passes, policy, (scenario, ""), "reward")), policy)
        axes.set(title=f"{scenario}: reward", xlabel="share of the pass")
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure
