"""The off-policy benchmark: its worlds, its logs, its figures, and a short run of the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gateway.bench.offpolicy import report
from gateway.bench.offpolicy.study import ESTIMATORS, RECOMMENDED, Question, every, study
from gateway.bench.offpolicy.traffic import TARGETS, simulated
from gateway.bench.offpolicy.world import ARMS, REWARDS, world
from gateway.cli import main
from router_models.evaluation import Estimate, Interval

NAMES = (*ESTIMATORS, RECOMMENDED)


def test_worlds_take_turns_and_pay_what_they_say() -> None:
    made = [world(number, np.random.default_rng(number)) for number in range(12)]
    assert {(len(each.arms), each.rewards) for each in made} == {(arms, kind) for arms in ARMS for kind in REWARDS}
    for each in made[::5]:
        rng = np.random.default_rng(1)
        paid = [each.reward(3, 1, rng) for _ in range(3000)]
        assert all(0.0 <= reward <= 1.0 for reward in paid)
        assert np.mean(paid) == pytest.approx(each.means[3, 1], abs=0.04)
    sharp = next(each for each in made if each.rewards == REWARDS[2])
    assert np.mean(sharp.means * (1.0 - sharp.means)) < 0.1


def test_a_log_is_the_routers_own_and_targets_grow_more_distant() -> None:
    made = world(1, np.random.default_rng(1))
    log, targets, truths = simulated(made, np.random.default_rng(1), decisions=400)
    assert tuple(targets) == tuple(truths) == TARGETS
    assert log.propensities.min() >= 0.01 / log.arms - 1e-9
    sizes = {name: log.with_target(target).ratios.max() for name, target in targets.items()}
    assert sizes["previous"] < sizes["rival"]
    assert all(0.0 < truth < 1.0 for truth in truths.values())
    assert truths["half"] == pytest.approx((truths["previous"] + truths["rival"]) / 2)
    assert np.corrcoef(np.bincount(log.chosen, minlength=6), log.propensities.sum(axis=0))[0, 1] > 0.95


def test_a_log_is_the_same_however_many_processes_share_the_work() -> None:
    told: list[int] = []
    one = every(2, seed=3, decisions=120, jobs=1, tell=lambda: told.append(1))
    two = every(2, seed=3, decisions=120, jobs=2, tell=lambda: told.append(2))
    assert [(each.log, each.target, each.truth) for each in one] == [
        (each.log, each.target, each.truth) for each in two
    ]
    assert one[:8] == study(0, seed=3, decisions=120)
    assert told == [1, 1, 2, 2]


def question(*, truth: float, value: float, target: str = "half") -> Question:
    found = Estimate(value=value, low=value - 0.1, high=value + 0.1, effective_sample_size=10.0, largest_weight=4.0)
    ips = Estimate(value=truth + 0.4, low=0.0, high=1.0, effective_sample_size=10.0, largest_weight=4.0)
    return Question(
        log=0,
        arms=3,
        rewards="binary",
        target=target,
        truth=truth,
        estimates={**dict.fromkeys(NAMES, found), "ips": ips},
        sequence=Interval(0.3, 0.6),
    )


def test_figures_are_what_they_are_called() -> None:
    questions = [question(truth=0.5, value=0.52), question(truth=0.5, value=0.7, target="rival")]
    results = report.document([*questions, question(truth=0.7, value=0.62)], seed=1, decisions=10)
    found = results["pooled"]["estimators"][RECOMMENDED]
    assert found["coverage"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["width"] == pytest.approx(0.2)
    assert found["rmse"] == pytest.approx(np.sqrt((0.02**2 + 0.2**2 + 0.08**2) / 3), abs=1e-5)
    assert found["to_ips"] == pytest.approx(found["rmse"] / 0.4, abs=1e-4)
    assert results["pooled"]["confidence_sequence"]["ever_excluded"] == pytest.approx(1 / 3, abs=1e-4)
    assert list(results["by_target"]) == ["half", "rival"]
    assert results["bars"]["coverage"] == {"value": found["coverage"], "worst": 0.0, "bar": 0.93, "met": False}
    assert results["bars"]["to_ips"]["met"]


def test_a_short_run_of_the_command(tmp_path: Path) -> None:
    arguments = ["bench", "offpolicy", "--out", str(tmp_path), "--logs", "3", "--decisions", "150", "--jobs", "1"]
    told = CliRunner().invoke(main, arguments, env={"COLUMNS": "160"})
    assert told.exit_code == 0, told.output
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["logs"] == 3
    assert results["pooled"]["questions"] == 3 * len(TARGETS)
    assert list(results["pooled"]["estimators"]) == list(NAMES)
    assert (tmp_path / "offpolicy.png").read_bytes().startswith(b"\x89PNG")
    for name in (*NAMES, "confidence sequence", "runner up", "What is asked of it"):
        assert name in told.output
