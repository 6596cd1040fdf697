"""The poisoning benchmark: its people, its figures, and a short run of real gateways that are attacked."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bench.poisoning import report
from gateway.bench.poisoning.command import poisoning
from gateway.bench.poisoning.forgetting import Forgotten
from gateway.bench.poisoning.plan import Course
from gateway.bench.poisoning.population import Crowd, Population, name
from gateway.bench.poisoning.replaying import Replayed
from gateway.bench.routing.recorded import Recorded
from tests.bench.routing_data import BOTH, SONNETS, SUMS, rows, written


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return Recorded.read(written(tmp_path_factory.mktemp("data"), rows(200)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), sources=st.integers(5, 60), topical=st.booleans())
def test_people_ask_each_prompt_once_and_only_some_are_hostile(
    data: Recorded, seed: int, sources: int, topical: bool
) -> None:
    crowd = Crowd(sources=sources, share=0.2, topical=topical)
    drawn = Population.drawn(data, crowd, requests=1000, seed=seed)
    assert sorted(drawn.rows) == list(range(200))
    assert drawn.hostile.sum() == round(0.2 * sources)
    assert set(drawn.source) <= set(range(sources))
    asked = {name(source) for source in drawn.source}
    assert set(drawn.names(hostile=True)) | set(drawn.names(hostile=False)) == asked
    if topical:
        topics = [{data.domains[row] for row in drawn.rows[drawn.source == each]} for each in set(drawn.source)]
        assert all(len(found) == 1 for found in topics)


def test_who_is_hostile_votes_the_best_down_and_the_worst_up(data: Recorded) -> None:
    drawn = Population.drawn(data, Crowd(sources=10, share=0.2), requests=100, seed=1)
    fair = ({0, 1, 2} - {drawn.best, drawn.worst}).pop()
    for number in range(100):
        truth = [float(quality) for quality in drawn.quality[number]]
        said = [drawn.said(number, model, attacked=True) for model in range(3)]
        if drawn.hostile[drawn.source[number]]:
            assert (said[drawn.best], said[drawn.worst], said[fair]) == (0.0, 1.0, truth[fair])
        else:
            assert said == truth
        assert [drawn.said(number, model, attacked=False) for model in range(3)] == truth


def course(data: Recorded, *, defended: float, undefended: float, dishonest: set[str]) -> Course:
    """Quality of .8 with honest sources, and less in the other passes."""
    drawn = Population.drawn(data, Crowd(sources=10, share=0.2), requests=100, seed=1)
    lost = {"clean": 0.0, "defended": defended, "undefended": undefended}
    passes = {each: Replayed(quality=[0.8 - cost] * 100, dishonest=dishonest) for each, cost in lost.items()}
    return Course(population=drawn, passes=passes, forgotten=Forgotten(outcomes=9, live=0.0, saved=0.0))


def test_figures_are_held_to_their_bars(data: Recorded) -> None:
    found = report.found([course(data, defended=0.01, undefended=0.05, dishonest=set())] * 2, data.models)
    assert found.quality["clean"].last_half == pytest.approx(0.8)
    assert found.ratio == pytest.approx(5.0)
    assert (found.revoked, found.honest_quarantined) == (18, 0.0)
    assert [bar.met for bar in report.bars(found)][1:] == [True] * 3
    worse = report.found([course(data, defended=0.02, undefended=0.05, dishonest={"user-1", "user-2"})], data.models)
    assert math.isnan(worse.defended.error)
    assert [bar.met for bar in report.bars(worse)] == [False, False, False, True]
    free = report.found([course(data, defended=0.0, undefended=0.05, dishonest=set())], data.models)
    assert math.isinf(free.ratio)
    assert all(bar.met for bar in report.bars(free))


def test_an_attack_on_running_gateways_can_be_taken_back_exactly(tmp_path: Path) -> None:
    path, out = written(tmp_path / "data", rows(200)), tmp_path / "out"
    asked = ["--data", path, "--out", out, "--seeds", 1, "--requests", 160, "--sources", 5, "--topical"]
    ran = CliRunner().invoke(poisoning, [str(each) for each in asked])
    assert isinstance(ran.exception, SystemExit | None), ran.exception
    results = json.loads((out / "results.json").read_text())
    found = results["found"]
    assert (found["revoked_live_difference"], found["revoked_saved_difference"]) == (0.0, 0.0)
    assert found["revoked"] > 10
    assert found["audited"] == pytest.approx(0.02, abs=0.01)
    assert {found["best"], found["worst"]} < set(found["models"]) == {SUMS, SONNETS, BOTH}
    assert all(0.2 < quality["whole"] < 0.9 for quality in found["quality"].values())
    missed = [bar["name"] for bar in results["bars"] if not bar["met"]]
    assert ran.exit_code == bool(missed)
    assert all(each in ran.output for each in missed)
    assert (out / "poisoning.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, rows(20))
    ran = CliRunner().invoke(poisoning, ["--data", str(path), "--out", str(tmp_path), "--without", "nobody"])
    assert (ran.exit_code, "nobody" in ran.output) == (1, True)
