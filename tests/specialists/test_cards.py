"""The catalogue of specialists."""

from __future__ import annotations

import sys

import pytest

from gateway.config import ConfigurationError
from gateway.specialists.cards import catalogue, chosen


def test_each_entry_is_a_complete_model_card() -> None:
    for entry in catalogue():
        card = entry.card("http://127.0.0.1:1234/v1")
        assert card.id == entry.id == card.upstream.model
        assert str(card.upstream.base_url) == "http://127.0.0.1:1234/v1"
        assert card.license
        assert card.price.input == card.price.output == 0
        assert "demo" in card.tags


def test_descriptions_alone_tell_what_a_card_is_good_at() -> None:
    for entry in catalogue():
        card = entry.card("http://127.0.0.1:1234/v1")
        assert not card.skills
        assert not card.examples
        assert len(card.semantics()) >= 5


def test_names_choose_and_unknown_ones_are_told() -> None:
    assert [entry.id for entry in chosen(["units", "general"])] == ["general", "units"]
    assert chosen(None) == catalogue()
    with pytest.raises(ConfigurationError, match="'poetry': choose among general, mathematics"):
        chosen(["poetry"])


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(entry.missing() for entry in catalogue())
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert chosen(["mathematics"])[0].missing() == ["sympy"]
