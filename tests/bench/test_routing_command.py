"""``polyculture bench routing`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.bench.routing import protocol
from gateway.bench.routing.scenarios import COMPANIONS, NAMES, PRICED
from gateway.cli import main
from tests.bench.routing_data import BOTH, SONNETS, SUMS, rows, written

ASKED = {"mean", "first_500", "last_quarter", "regret", "cost", "effective_models", "largest_share"}
REFERENCES = {"random", "best_single", "best_per_domain", "full_information_ridge", "full_information_knn", "oracle"}


def ran(data: Path, out: Path, *options: str) -> Result:
    command = ["bench", "routing", "--data", str(data), "--out", str(out), "--jobs", "1"]
    embedder = [] if "--embedder" in options else ["--embedder", "static"]
    return CliRunner().invoke(main, [*command, *embedder, *options])


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    return found


def test_every_scenario_gets_its_figures_its_table_and_its_pictures(tmp_path: Path) -> None:
    done = ran(
        written(tmp_path), tmp_path / "out", "--seeds", "2", "--policy", "polyculture", "--policy", f"fixed:{SUMS}"
    )
    assert done.exit_code == 0, done.output
    found = results(tmp_path / "out")
    assert found["seeds"] == 2
    assert set(found["references"]) == REFERENCES
    assert all(isinstance(value, float) for value in found["references"].values())
    assert list(found["policies"]) == ["polyculture", f"fixed:{SUMS}"]
    for scenarios in found["policies"].values():
        assert list(scenarios) == list(NAMES)
        for name, figures in scenarios.items():
            assert set(figures) >= ASKED
            assert len(figures["by_seed"]["mean"]) == 2
            assert set(figures) >= ({COMPANIONS[name]} if name in COMPANIONS else set())
    ours = found["policies"]["polyculture"]
    assert ours["tenants"]["pooled"]["mean"] > 0
    assert {"share_window_max", "largest_share"} <= set(ours["cap"])
    assert {"phase_1", "phase_2", "phase_3", "recovered"} <= set(ours["failure"])
    assert 0 <= ours["perturbed"]["flipped"] <= 1
    fixed = found["policies"][f"fixed:{SUMS}"]["stationary"]
    assert fixed["mean"] == pytest.approx(found["data"]["quality"][SUMS])
    assert fixed["above_best_single"]["mean"]["difference"] == pytest.approx(0.0)
    assert fixed["largest_share"] == fixed["effective_models"] == 1.0
    table = (tmp_path / "out" / "table.md").read_text()
    assert "## tenants" in table
    assert table in done.output
    pictures = {"reward.png", "regret.png", "shares.png", "cost.png", "adaptation.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == pictures | {"results.json", "table.md"}
    assert len(list((tmp_path / ".embeddings").iterdir())) == 3


def test_the_same_run_gives_the_same_figures(tmp_path: Path) -> None:
    options = (
        "--policy",
        "lints",
        "--scenario",
        "stationary",
        "--scenario",
        "sparse",
        "--cache",
        str(tmp_path / "cache"),
    )
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        assert ran(written(tmp_path), out, "--seeds", "1", *options).exit_code == 0
    first, again = (results(out) for out in outs)
    assert first["policies"] == again["policies"]
    assert first["reference_details"] == again["reference_details"]


def test_splits_models_and_warm_starts_can_be_chosen(tmp_path: Path) -> None:
    options = ("--split", "test", "--warm", "val", "--without", BOTH, "--seeds", "1", "--scenario", "budget")
    done = ran(written(tmp_path), tmp_path / "out", *options, "--policy", "random", "--budget", "0.0012")
    assert done.exit_code == 0, done.output
    found = results(tmp_path / "out")
    assert found["data"]["models"] == [SUMS, SONNETS]
    assert (found["data"]["rows"], found["data"]["rows_before"]) == (60, 20)
    assert found["policies"]["random"]["budget"]["budget"] == 0.0012


def test_without_costs_there_are_no_scenarios_of_money(tmp_path: Path) -> None:
    data = written(tmp_path, rows(costs=False))
    done = ran(data, tmp_path / "out", "--policy", "random", "--seeds", "1")
    assert done.exit_code == 0, done.output
    found = results(tmp_path / "out")
    assert set(found["policies"]["random"]) == set(NAMES) - PRICED
    assert "records no costs" in found["notes"][0]
    assert found["notes"][0] in done.output
    refused = ran(data, tmp_path / "out", "--policy", "random", "--scenario", "price")
    assert refused.exit_code == 1
    assert "records no costs" in refused.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--policy", "genius"], "'genius'; known are polyculture"),
        (["--scenario", "flood"], "'flood'; known are stationary"),
        (["--policy", "fixed:nobody"], "no model 'nobody'"),
        (["--newcomer", "nobody"], "no model 'nobody'"),
        (["--without", "nobody"], "no model 'nobody'"),
        (["--split", "train"], "split 'train' has 0 rows"),
        (["--warm", "train"], "split 'train' has 0 rows"),
        (["--budget", "0"], "--budget"),
        (["--seeds", "0"], "--seeds"),
        (["--protocol", "paretobandit"], "needs ParetoBandit's data"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(options: list[str], says: str, tmp_path: Path) -> None:
    refused = ran(written(tmp_path), tmp_path / "out", *options)
    assert refused.exit_code in (1, 2)
    assert says in refused.output
    assert "Traceback" not in refused.output
    assert not (tmp_path / "out").exists()


def test_broken_data_is_refused_in_one_line(tmp_path: Path) -> None:
    made = rows(6)
    made[3]["outcomes"][SUMS]["quality"] = 2
    refused = ran(written(tmp_path, made), tmp_path / "out")
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: small.jsonl.gz line 4: ")
    assert refused.output.count("\n") == 1


def renamed(count: int) -> list[dict[str, Any]]:
    """The small data with ParetoBandit's models, a fourth one like the second."""
    names = {SUMS: "meta-llama/llama-3.1-8b-instruct", SONNETS: protocol.FAILING, BOTH: "google/gemini-2.5-pro"}
    made = rows(count)
    for row in made:
        row["outcomes"] = {name: row["outcomes"][old] for old, name in names.items()}
        row["outcomes"][protocol.NEWCOMER] = row["outcomes"][protocol.FAILING]
    return made


def test_paretobandits_protocol_is_judged_figure_by_figure(tmp_path: Path) -> None:
    data, options = written(tmp_path, renamed(40)), ("--protocol", "paretobandit", "--seeds", "1")
    refused = ran(data, tmp_path / "out", *options, "--embedder", "static")
    assert "needs --embedder minilm" in refused.output
    done = ran(data, tmp_path / "out", *options, "--embedder", "minilm")
    assert done.exit_code == 0, done.output
    found = results(tmp_path / "out")
    assert list(found["conditions"])[:3] == ["scratch", "offline", "warm"]
    assert len(found["conditions"]) == 3 + 7 + 3 + 4
    for condition in found["conditions"].values():
        assert set(condition) == {"polyculture", "paretobandit"}
        assert condition["polyculture"]["best_single"] == condition["paretobandit"]["best_single"]
    assert len(found["bars"]) == 3 + 2 * 7 + 2 * 3 + 4
    assert found["bars"][0]["published"] == 87.0
    assert "| regret, scratch |" in done.output
