"""The gate's benchmark: a tiny run of it, and what it is made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gateway.bench.gate import quiet, report, returning
from gateway.bench.gate.carrying import Carried
from gateway.bench.gate.command import gate
from gateway.bench.gate.permuting import derangement
from gateway.bench.gate.plan import Found
from gateway.bench.gate.quiet import Quiet
from gateway.bench.gate.returning import Returned
from gateway.bench.gate.trying import Tried
from gateway.bench.gate.world import LEVEL, SKILL, TOPICS, drawn, made

ARMS, DIMENSIONS = 3, 6


def decisive(path: Path) -> str:
    """Recorded outcomes of three models, each always right on its own topic, and never elsewhere."""
    data, topics = made(600, seed=1), ("numbers", "kitchen", "music")
    lines = [
        {"prompt": prompt, "outcomes": {each: {"quality": float(each == topic)} for each in topics}}
        for prompt, topic in zip(data.prompts, data.domains, strict=True)
        if topic in topics
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


def test_a_small_run_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "FILLING_S", 0.5)
    monkeypatch.setattr(returning, "LASTING_S", 0.5)
    few = ["--seeds", "1", "--taught", "150", "--rollbacks", "1", "--events", "500", "--runs", "0"]
    few += ["--data", decisive(tmp_path / "outcomes.jsonl")]
    done = CliRunner().invoke(gate, ["--out", str(tmp_path), *few])
    assert "What the gate promises" in done.output, done.output
    results = json.loads((tmp_path / "results.json").read_text())
    (tried,) = results["found"]["tried"]
    assert tried["lose"] > 0.15
    assert tried["refused"]
    assert tried["outcomes"] <= 300
    assert tried["audited"]
    assert tried["counted"]
    assert tried["returned"]
    assert len(tried["live"]) == len(tried["rewards"]) == tried["outcomes"]
    assert results["found"]["carried"]["same_file"]
    assert results["found"]["carried"]["same_probabilities"]
    (returned,) = results["found"]["returned"]
    assert returned["next_obeyed"]
    assert returned["events"] >= 500
    assert (tmp_path / "gate.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Quiet:
    """Three models, each good on a third of the requests."""
    for name, value in (("SCHOOLS", 2), ("LEARNED", 200), ("WATCHED", 250)):
        monkeypatch.setattr(quiet, name, value)
    rng = np.random.default_rng(0)
    topics = rng.integers(ARMS, size=400)
    features = (np.eye(ARMS, DIMENSIONS)[topics] + 0.1 * rng.normal(size=(400, DIMENSIONS))).astype(np.float32)
    quality = (rng.random((400, ARMS)) < 0.2 + 0.6 * np.eye(ARMS)[topics]).astype(np.float64)
    return Quiet.of(("c", "a", "b"), features, quality)


def test_quiet_runs_are_quiet_and_come_again_alike(world: Quiet) -> None:
    steps: list[None] = []
    found = quiet.runs(world, 3, jobs=1, step=lambda: steps.append(None))
    assert [each.what for each in found] == list(quiet.WHATS)
    assert [each.taken_back for each in found] == [None] * 3
    assert len(steps) == 3
    assert world.run(1) == found[1]
    assert quiet.runs(world, 1, jobs=2, step=lambda: None)[0].seed == 0


def test_routers_that_have_learned_are_worth_more_the_later_they_stand(world: Quiet) -> None:
    worth = [world.value(each) for each in world.schools]
    assert worth == sorted(worth)
    assert worth[0] > world.quality.mean()


def test_requests_are_on_a_topic_that_one_model_is_good_at() -> None:
    data = made(3000, seed=1)
    means = {
        (topic, model): data.quality[[each == topic for each in data.domains], place].mean()
        for topic in TOPICS
        for place, model in enumerate(data.models)
    }
    for topic in TOPICS:
        assert means[topic, f"model-{topic}"] > LEVEL[0] + SKILL - 0.08
        assert sum(means[topic, model] for model in data.models) < 6 * 0.55
    assert made(50, seed=1).prompts == made(50, seed=1).prompts != made(50, seed=2).prompts
    assert sorted(drawn(data, 6000, seed=3)) == sorted([*range(3000)] * 2)


@given(st.integers(2, 12), st.integers(0, 2**32))
def test_no_model_stays_what_it_is(models: int, seed: int) -> None:
    order = derangement(models, np.random.default_rng(seed))
    assert sorted(order) == list(range(models))
    assert (order != np.arange(models)).all()


def tried(**changes: object) -> Tried:
    given: dict[str, object] = {
        "seed": 1,
        "lose": 0.4,
        "refused": True,
        "refusal": "",
        "outcomes": 80,
        "earned_before": 0.7,
        "earned_live": 0.3,
        "earned_control": 0.7,
        "audited": True,
        "counted": True,
        "returned": True,
        "live": [],
        "rewards": [],
    }
    return Tried(**{**given, **changes})  # type: ignore[arg-type]


def test_bars_are_met_by_all_or_not_at_all() -> None:
    carried = Carried(size=1, same_file=True, prompts=1, same_probabilities=True)
    good = Returned(events=9, took_ms=5.0, answered_ms=9.0, next_obeyed=True)
    runs = [quiet.Run(seed=seed, what="learned", taken_back=None, doubted=False, worse=None) for seed in range(100)]
    fine = Found(tried=[tried()], carried=carried, returned=[good], quiet=runs)
    assert all(bar.met for bar in report.bars(fine))
    fell = [quiet.Run(seed=seed, what="learned", taken_back=7, doubted=False, worse=0.1) for seed in range(2)]
    late = Returned(events=9, took_ms=5.0, answered_ms=101.0, next_obeyed=False)
    poor = Found(
        tried=[tried(refused=False, outcomes=301, audited=False), tried(outcomes=None)],
        carried=Carried(size=1, same_file=False, prompts=1, same_probabilities=True),
        returned=[good, late],
        quiet=[*runs, *fell],
    )
    assert not any(bar.met for bar in report.bars(poor))
