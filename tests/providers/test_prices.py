"""What litellm's own list suggests for a card, without litellm being imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ModelCard, Price
from gateway.providers.prices import FILE, Suggestion, suggest
from tests.support import packages


@pytest.fixture(scope="module")
def real() -> Path:
    """The list that litellm comes with."""
    return packages.litellm() / "litellm" / FILE


@pytest.mark.parametrize(
    ("name", "price", "window"),
    [
        ("anthropic/claude-sonnet-4-5", Price(input=3, output=15, cached_input=0.3), 1_000_000),
        ("azure/gpt-4o", Price(input=2.5, output=10, cached_input=1.25), 128_000),
        ("gpt-4.1-mini", Price(input=0.4, output=1.6, cached_input=0.1), 1_047_576),
        ("openai/gpt-4.1-mini", Price(input=0.4, output=1.6, cached_input=0.1), 1_047_576),
        ("bedrock/amazon.nova-lite-v1:0", Price(input=0.06, output=0.24, cached_input=0.015), 300_000),
    ],
)
def test_prices_and_windows(real: Path, name: str, price: Price, window: int) -> None:
    found = suggest(name, file=real)
    assert found is not None
    assert (found.price, found.context_window) == (price, window)
    assert (found.endpoint, found.tools, found.json_mode) == ("chat", True, True)
    assert found.max_output_tokens is not None
    assert "image" in found.modalities


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("openai/text-embedding-3-small", "embeddings"),
        ("openai/whisper-1", "audio"),
        ("openai/omni-moderation-latest", "moderations"),
    ],
)
def test_what_a_model_does(real: Path, name: str, endpoint: str) -> None:
    found = suggest(name, file=real)
    assert found is not None
    assert found.endpoint == endpoint
    upstream = {"base_url": "http://127.0.0.1:1/v1", "model": name}
    assert ModelCard.model_validate({"id": "m", "upstream": upstream, **found.fields()}).endpoint == endpoint


@pytest.mark.parametrize("name", ["nobody/gpt-4o", "mistral/gpt-4o", "sample_spec", "openai/dall-e-3", "", "/", "none"])
def test_nothing_is_suggested_where_the_list_says_nothing_of_it(real: Path, name: str) -> None:
    assert suggest(name, file=real) is None


def test_without_litellm_there_are_no_suggestions() -> None:
    assert suggest("gpt-4.1-mini") is None


def test_the_list_of_the_litellm_that_is_installed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(packages.litellm()))
    assert isinstance(suggest("gpt-4.1-mini"), Suggestion)
    assert "litellm" not in sys.modules


FACTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["mode", "litellm_provider", "input_cost_per_token", "max_tokens", "supports_vision", "x"]),
    st.sampled_from(["chat", "openai", 1e-6, 10**40, -1, 0, True, None, "4096", [], {}]),
)


@given(facts=FACTS)
def test_any_row_is_understood_or_passed_over(tmp_path_factory: pytest.TempPathFactory, facts: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "list.json"
    file.write_text(json.dumps({"m": {"mode": "chat", "litellm_provider": "openai", **facts}}))
    found = suggest("openai/m", file=file)
    assert found is None or found.endpoint == "chat"
    if found is not None:
        assert found.context_window is None or found.context_window > 0
