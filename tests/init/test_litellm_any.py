"""Any file at all as a LiteLLM configuration."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import ConfigurationError
from gateway.init import document
from gateway.init.litellm_file import read
from gateway.init.source import merge

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["openai", "mistral", "groq", "ollama", "hosted_vllm", "openrouter", "anthropic", "azure", "gemini", "x", ""]
)
MODELS = st.builds("{}/{}".format, NAMES, st.text(max_size=10)) | st.text(max_size=10)
BASES = st.sampled_from(["http://127.0.0.1:1/v1", "https://h.example", "os.environ/BASE", "nowhere"]) | st.text(
    max_size=9
)
KEYS = st.sampled_from(["os.environ/KEY", "os.environ/", "none", "sk-1", "sk-2"]) | st.text(max_size=9)
NUMBERS = st.integers(-1, 10**7) | st.floats(-1, 2) | st.sampled_from(["1e-6", "4096", "many", ".nan"])
PARAMETERS = st.fixed_dictionaries(
    {"model": MODELS},
    optional={
        "api_base": BASES,
        "api_key": KEYS | ANYTHING,
        "timeout": NUMBERS,
        "tags": st.lists(st.text(max_size=5)),
        "input_cost_per_token": NUMBERS,
        "rpm": ANYTHING,
        "api_version": BASES | ANYTHING,
        "custom_llm_provider": NAMES,
    },
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["chat", "embedding", "completion", "rerank"]) | ANYTHING,
        "max_tokens": NUMBERS,
        "max_input_tokens": NUMBERS,
        "max_output_tokens": NUMBERS,
        "output_cost_per_token": NUMBERS,
        "supports_vision": st.booleans() | ANYTHING,
        "base_model": ANYTHING,
    },
)
ENTRIES = st.fixed_dictionaries(
    {
        "model_name": st.text(max_size=12) | st.sampled_from(["a", "b", "auto", "a b"]),
        "litellm_params": PARAMETERS,
    },
    optional={"model_info": FACTS},
)


@settings(max_examples=200, deadline=None)
@given(
    listed=st.lists(ENTRIES | ANYTHING, max_size=5) | ANYTHING,
    rest=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=2),
)
def test_any_file_gives_a_configuration_that_loads_or_says_what_is_wrong(listed: Any, rest: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "config.yaml"), Path(folder, "polyculture.yaml")
        file.write_text(yaml.safe_dump({**rest, "model_list": listed}), encoding="utf-8", errors="surrogatepass")
        if not isinstance(listed, list):
            with pytest.raises(ConfigurationError, match="has no `model_list`"):
                read(file, environment={})
            return
        (source,) = merge([read(file, environment={"BASE": "http://127.0.0.1:2/v1", "KEY": "secret-value"})])
        configuration = document.write(out, [source], specialists=None)
        assert [card.id for card in configuration.models] == [item.card.id for item in source.found]
        assert configuration.models == tuple(item.card for item in source.found)
        assert len(source.found) + len(source.left_out) == len(listed)
        assert "secret-value" not in out.read_text(encoding="utf-8")
