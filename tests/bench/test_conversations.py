"""Recorded outcomes as conversations: all is asked once, and a price on leaving keeps conversations together."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gateway.bench.conversations.replay import SUBJECT, play, turns
from gateway.bench.routing.recorded import Recorded
from gateway.cli import main
from tests.bench.routing_data import material, rows, written


@pytest.fixture(name="data")
def recorded(tmp_path: Path) -> Recorded:
    return Recorded.read(written(tmp_path, rows(200)))


@pytest.mark.parametrize("steady", [True, False])
def test_every_prompt_is_a_turn_of_one_conversation(data: Recorded, steady: bool) -> None:
    asked = list(turns(data, np.random.default_rng(0), steady=steady))
    assert sorted(row for _, row in asked) == list(range(200))
    subjects = defaultdict(list)
    for number, row in asked:
        subjects[number].append(data.domains[row])
    assert all(len(each) <= 2 * SUBJECT for each in subjects.values())
    mixed = [number for number, each in subjects.items() if len(set(each)) > 1]
    assert len(mixed) <= 1 if steady else len(mixed) > 5


def test_a_price_on_leaving_keeps_conversations_together(data: Recorded) -> None:
    features = material(data).features["plain"]
    free, dear = (play(data, features, price=price, steady=True, seed=1) for price in (0.0, 1.0))
    assert dear.switches < 0.1 < free.switches
    assert 0.2 < free.quality < 0.9


def test_the_command_writes_what_it_found(tmp_path: Path) -> None:
    data = written(tmp_path, rows(24))
    arguments = ["bench", "conversations", "--data", str(data), "--out", str(tmp_path / "out"), "--seeds", "1"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert {each["price"] for each in found if each["steady"]} == {
        each["price"] for each in found if not each["steady"]
    }
    data.write_bytes(b"nothing")
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
