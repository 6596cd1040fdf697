"""The chaos run at a small size: whatever the servers do, clients are answered, and what was seen is written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.bench.chaos import session
from gateway.cli import main


def test_a_small_run_answers_its_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WARM_S", 0.5)
    monkeypatch.setattr(session, "SETTLE_S", 0.5)
    arguments = ["bench", "chaos", "--seconds", "9", "--clients", "8", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert "requests to a dead server within 5 s" in result.output
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["found"]
    assert found["outcomes"]["answered"] > 100
    assert found["success"] >= 0.99
    assert found["longest_wait_s"] < 30
    assert found["dead_requests"] <= 5
    assert len(found["rss_mb"]) == 100
    assert (tmp_path / "chaos.png").stat().st_size > 10_000
