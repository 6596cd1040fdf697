"""The configuration file: what is accepted, and how clearly the rest is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigurationError, Metric, load, parse

CARD: dict[str, Any] = {"id": "m", "upstream": {"base_url": "http://127.0.0.1:1/v1", "model": "x"}}


def test_the_least_card_is_enough() -> None:
    configuration = parse({"models": [CARD]}, origin="test")
    assert configuration.models[0].id == "m"
    assert configuration.routing.share_cap == 0.6


def test_an_empty_file_is_an_empty_configuration(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert load(path).models == ()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"modles": []}, "modles"),
        ({"models": [{**CARD, "id": "auto"}]}, "models.0.id"),
        ({"models": [{**CARD, "id": "auto:x"}]}, "models.0.id"),
        ({"models": [CARD, CARD]}, "'m'"),
        ({"models": [{**CARD, "context_window": 0}]}, "models.0.context_window"),
        ({"models": [{**CARD, "price": {"input": float("inf")}}]}, "models.0.price.input"),
        ({"models": [{"id": "m", "upstream": {"base_url": "nonsense", "model": "x"}}]}, "base_url"),
        ({"metrics": {"flat": {"worst": 1, "best": 1}}}, "metrics.flat"),
        ({"routing": {"share_cap": 2}}, "routing.share_cap"),
        ([1, 2], "top level"),
    ],
)
def test_faults_are_told_with_their_place(document: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        parse(document, origin="test")


@pytest.mark.parametrize("text", ["a: [", "\x00", "when: 2026-13-45"])
def test_what_is_not_yaml_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"broken\.yaml"):
        load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load(tmp_path / "nowhere.yaml")


def test_metrics_map_linearly_and_clip_in_either_direction() -> None:
    minutes = Metric(worst=60, best=5)
    assert minutes.reward(5) == 1
    assert minutes.reward(60) == 0
    assert minutes.reward(32.5) == pytest.approx(0.5)
    assert minutes.reward(1000) == 0
    assert minutes.reward(-1) == 1


def test_what_a_model_is_good_at_is_read_sentence_by_sentence() -> None:
    card = parse(
        {"models": [{**CARD, "description": "One. Two\nThree", "skills": ["s"], "examples": ["e"]}]}, origin=""
    )
    assert card.models[0].semantics() == ["One", "Two", "Three", "s", "e"]
