"""The soak at a small size: every kind of request is answered as it should be, and what is held is looked at."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from gateway.bench.soak.report import tell, unexpected
from gateway.bench.soak.session import Found, Look
from gateway.cli import main


def look(requests: int, rss_mb: float, *, descriptors: int = 20) -> Look:
    return Look(
        requests=requests,
        seconds=requests / 1000 + 1,
        rss_mb=rss_mb,
        p50_ms=1.0,
        p99_ms=2.0,
        descriptors=descriptors,
        tasks=5,
        connections=0,
        disk_mb=requests / 1000,
    )


def found(last_mb: float, *, outcomes: dict[str, int] | None = None, descriptors: int = 20) -> Found:
    looks = [look(each * 50, 100.0 if each < 18 else last_mb) for each in range(21)]
    return Found(looks=[*looks, look(1000, 90.0, descriptors=descriptors)], outcomes=outcomes or {"plain 200": 1000})


def test_a_small_soak_answers_everything_and_writes_what_it_saw(tmp_path: Path) -> None:
    arguments = ["bench", "soak", "--requests", "1000", "--clients", "8", "--looks", "10", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert "answers that nobody should get" in result.output
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["found"]
    assert len(written["looks"]) == 12
    assert {outcome.split()[1] for outcome in written["outcomes"]} == {"200", "400", "401", "404"}
    assert {outcome.split()[0] for outcome in written["outcomes"]} >= {"feedback", "embeddings", "conversation"}
    assert sum(written["outcomes"].values()) >= 1000
    assert (tmp_path / "soak.png").stat().st_size > 10_000


def test_bars_are_missed_by_growth_leaks_and_wrong_answers() -> None:
    assert tell(found(109.0)) == []
    assert tell(found(111.0)) == ["resident MB"]
    assert tell(found(100.0, descriptors=40)) == ["descriptors, before and after"]
    wrong = found(100.0, outcomes={"plain 200": 9, "plain 502": 1, "broken 400": 3, "broken 500": 1})
    assert unexpected(wrong) == {"plain 502": 1, "broken 500": 1}
    assert tell(wrong) == ["answers that nobody should get"]
