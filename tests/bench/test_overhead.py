"""The overhead benchmark: how gateways are started, what is made of the figures, and a short run of the whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from gateway import config
from gateway.bench.overhead import bars, peer
from gateway.bench.overhead.command import NAMES, overhead
from gateway.bench.overhead.gateways import GATEWAYS, KEY, MODELS, Place
from gateway.bench.overhead.measure import Plan
from gateway.bench.process import ProcessFailed, environment, free_port, running


def place(folder: Path) -> Place:
    return Place(folder=folder, port=1, upstream_port=2, litellm_home=folder / "litellm")


def test_a_process_that_ends_says_what_it_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such model'); raise SystemExit(3)"]
    with running(command, extra={}, log=tmp_path / "log") as process, pytest.raises(ProcessFailed) as failure:
        process.first_answer_s(port=free_port(), key=KEY, model="a")
    assert "status 3: no such model" in str(failure.value)


def test_a_gateway_gets_no_settings_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYCULTURE_FROZEN", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    found = environment({"POLYCULTURE_EMBEDDER": "static"})
    assert found["POLYCULTURE_EMBEDDER"] == "static"
    assert found["PATH"] == os.environ["PATH"]
    assert not {"POLYCULTURE_FROZEN", "HTTP_PROXY"} & set(found)


@pytest.mark.parametrize("name", ["polyculture", "polyculture-minilm"])
def test_polyculture_serves_twenty_models_by_a_configuration_that_it_accepts(name: str, tmp_path: Path) -> None:
    launch = GATEWAYS[name](place(tmp_path))
    loaded = config.load(Path(launch.extra["POLYCULTURE_CONFIG"]))
    assert [card.id for card in loaded.models] == list(MODELS)
    assert len(MODELS) == 20
    assert {str(card.upstream.base_url) for card in loaded.models} == {"http://127.0.0.1:2/v1"}
    assert launch.extra["POLYCULTURE_EMBEDDER"] == ("minilm" if name.endswith("minilm") else "static")
    assert launch.models == ("auto",)


def test_litellm_serves_the_same_models_with_one_worker(tmp_path: Path) -> None:
    launch = GATEWAYS["litellm"](place(tmp_path))
    configured = (tmp_path / "litellm.yaml").read_text()
    assert configured.count("model_name") == 20
    assert KEY in configured
    assert launch.command[launch.command.index("--num_workers") + 1] == "1"
    assert launch.extra["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"


def test_an_installed_litellm_is_found_again(tmp_path: Path) -> None:
    assert peer.installed(tmp_path) is None
    (tmp_path / "litellm-version").write_text("1.2.3")
    assert peer.installed(tmp_path) == peer.install(tmp_path) == "1.2.3"


def medians() -> dict[str, dict[str, float]]:
    levels = {f"c{n}.{name}": 1.0 for n in (1, 16, 64) for name in ("rps", "p50_ms", "p99_ms", "cpu_ms")}
    plain = {**levels, "ttft_ms": 1.0, "rss_mb": 100.0, "start_s": 1.0}
    ours = {**plain, "c64.rps": 40.0, "c64.cpu_ms": 0.6, "cached_p50_ms": 0.5}
    embedded = {"c16_embedded_rps": 180.0, "c64_embedded_rps": 150.0, "c64_prior_share": 0.4, "embedder_rps": 200.0}
    minilm = {**ours, **embedded, "c1.p50_ms": 7.0, "held_up_p50_ms": 1.0, "held_up_p99_ms": 3.0}
    others = dict.fromkeys(("direct", "passthrough", "litellm"), plain)
    return {**others, "polyculture": ours, "polyculture-limits": ours, "polyculture-minilm": minilm}


def test_bars_are_judged_by_the_medians() -> None:
    judged = bars.judge(medians())
    assert judged["polyculture_over_litellm_c64_rps"] == {"value": 40.0, "bar": 30, "met": True}
    assert judged["polyculture_cpu_ms_c64"] == {"value": 0.6, "bar": 0.5, "met": False}
    assert judged["minilm_throughput_over_embedder"]["value"] == 0.9
    assert judged["minilm_added_p50_ms_c1"]["value"] == 6.0
    with_bar = {name for name, derived in (bars.RATIOS | bars.LIMITS).items() if derived.bar() is not None}
    assert set(judged) == with_bar


def test_a_gateway_left_out_leaves_out_what_needs_it() -> None:
    some = {name: figures for name, figures in medians().items() if name != "litellm"}
    found = bars.values(bars.RATIOS, some)
    assert set(bars.RATIOS) - set(found) == {"polyculture_over_litellm_c64_rps", "litellm_added_p50_ms_c1"}


def test_a_plan_goes_there_and_back_and_counts_its_steps(tmp_path: Path) -> None:
    plan = Plan(gateways=["direct", "polyculture-minilm"], rounds=2, seconds=1, litellm_home=tmp_path, folder=tmp_path)
    assert [gateway for _, gateway in plan.turns()] == [
        "direct",
        "polyculture-minilm",
        "polyculture-minilm",
        "direct",
    ]
    assert plan.size() == 2 * (6 + 9)


def test_the_command_knows_every_gateway_and_no_other(tmp_path: Path) -> None:
    assert set(NAMES) == set(GATEWAYS)
    refused = CliRunner().invoke(overhead, ["--out", str(tmp_path), "--gateways", "direct,nginx"])
    assert refused.exit_code == 2
    assert "nginx" in refused.output


def test_a_short_run_writes_the_results_and_the_picture(tmp_path: Path) -> None:
    out = tmp_path / "overhead"
    options = ["--out", str(out), "--gateways", "direct,passthrough", "--rounds", "1", "--seconds", "0.5"]
    done = CliRunner().invoke(overhead, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text())
    assert list(results["gateways"]) == ["direct", "passthrough"]
    for figures in results["gateways"].values():
        assert set(figures) == {"c1", "c16", "c64", "ttft_ms", "rss_mb", "start_s"}
        assert all(set(figures[level]) == {"rps", "p50_ms", "p99_ms", "cpu_ms"} for level in ("c1", "c16", "c64"))
        assert all(
            value > 0 for level in ("c1", "c16", "c64") for name, value in figures[level].items() if "cpu" not in name
        )
    direct, passthrough = results["gateways"]["direct"], results["gateways"]["passthrough"]
    added = passthrough["c1"]["p50_ms"] - direct["c1"]["p50_ms"]
    assert results["ratios"] == {"passthrough_added_p50_ms_c1": pytest.approx(added, abs=1e-3)}
    assert {"machine", "versions", "bars", "method"} <= set(results)
    assert results["machine"]["fsync_ms"] > 0
    assert sorted(path.name for path in out.iterdir()) == ["overhead.png", "results.json"]
    assert (out / "overhead.png").read_bytes().startswith(b"\x89PNG")
    assert "passthrough" in done.output
    assert msgspec.json.decode((out / "results.json").read_bytes()) == results
