"""The file that is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigurationError, ModelCard, load, parse
from gateway.init.document import render, write
from gateway.init.source import Found, LeftOut, collect

CARD = ModelCard.model_validate(
    {
        "id": "coder",
        "upstream": {
            "base_url": "http://127.0.0.1:8000/v1",
            "model": "org/coder",
            "api_key_env": "CODER_KEY",
        },
        "description": 'Code: writing, fixing.\nAnd "tests" # too.',
        "context_window": 32768,
        "modalities": ["text", "image"],
        "tags": ["b", "a"],
        "price": {"input": 0.1, "output": 2},
        "tools": True,
    }
)


def uncommented(text: str) -> list[str]:
    """The commented examples of YAML in the file, each as YAML."""
    blocks = re.split(r"\n(?!#)", text)
    examples = [re.search(r"^# (models|routing|metrics|tenants):\n(#.*\n?)*", block, re.MULTILINE) for block in blocks]
    return [re.sub(r"^# ?", "", example[0], flags=re.MULTILINE) for example in examples if example]


def test_cards_read_back_as_they_were(tmp_path: Path) -> None:
    configuration = write(tmp_path / "p.yaml", [collect("here", [Found(card=CARD)])], specialists=None)
    assert configuration.models == (CARD,)
    assert configuration == load(tmp_path / "p.yaml")
    assert not configuration.specialists


def test_the_same_models_give_the_same_text() -> None:
    sources = [collect("here", [Found(card=CARD)])]
    assert render(sources, specialists=None) == render(sources, specialists=None)
    assert "modalities: [image, text]" in render(sources, specialists=None)


def test_notes_stand_above_their_model_and_what_was_left_out_is_listed() -> None:
    items: list[Found | LeftOut] = [
        Found(card=CARD, notes=("Mind the step.",)),
        LeftOut(name="bedrock", reason="speaks otherwise"),
    ]
    text = render([collect("LiteLLM's config.yaml", items, notes=["Read it."])], specialists=None)
    lines = text.splitlines()
    assert lines[lines.index("- id: coder") - 1] == "# Mind the step."
    assert "# --- LiteLLM's config.yaml ---" in lines
    assert "# Read it." in lines
    assert "# - LiteLLM's config.yaml: bedrock: speaks otherwise" in lines


def test_the_notes_of_a_source_without_models_are_told_too() -> None:
    text = render([collect("A server on 127.0.0.1:8000", [], notes=["It wants a key."])], specialists=None)
    assert "# - A server on 127.0.0.1:8000: It wants a key." in text


def test_the_demo_spells_its_descriptions_out_to_edit() -> None:
    text = render([], specialists={"math": "Sums.", "chat": "Talk."})
    configuration = parse(yaml.safe_load(text), origin="text")
    assert configuration.specialists
    assert {name: override.description for name, override in configuration.overrides.items()} == {
        "math": "Sums.",
        "chat": "Talk.",
    }


def test_the_commented_examples_are_valid_and_add_up() -> None:
    examples = uncommented(render([], specialists={}))
    whole = parse(yaml.safe_load("\n".join(examples)), origin="examples")
    assert len(examples) == 4
    assert whole.models
    assert whole.metrics
    assert whole.tenants
    assert whole.routing == parse({}, origin="defaults").routing


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_note_can_end_a_comment(note: str, name: str) -> None:
    source = collect(name, [Found(card=CARD, notes=(note,)), LeftOut(name=name, reason=note)], notes=[note])
    assert parse(yaml.safe_load(render([source], specialists=None)), origin="text").models == (CARD,)


@given(st.text(max_size=60) | st.text(alphabet="ab .:#-'", min_size=90, max_size=300))
def test_any_description_reads_back(description: str) -> None:
    card = CARD.model_copy(update={"description": description})
    text = render([collect("here", [Found(card=card)])], specialists=None)
    assert parse(yaml.safe_load(text), origin="text").models == (card,)


def test_a_file_that_would_not_load_is_never_written(tmp_path: Path) -> None:
    out = tmp_path / "p.yaml"
    out.write_text("precious: yes\n")
    with pytest.raises(ConfigurationError, match="share the id"):
        write(out, [collect("here", [Found(card=CARD), Found(card=CARD)])], specialists=None)
    assert out.read_text() == "precious: yes\n"
    assert list(tmp_path.iterdir()) == [out]
