"""Import of a LiteLLM proxy's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import ConfigurationError, ModelCard
from gateway.init import document
from gateway.init.litellm_file import read
from gateway.init.source import Source, merge

SAMPLE = Path(__file__).with_name("litellm-config.yaml")
SECRETS = (
    "sk-house-secret-1",
    "literal-mistral-key",
    "sk-ant-secret",
    "aws-secret",
    "azure-secret",
    "hunter2",
    "sk-master-secret",
    "redis-secret",
)


ENVIRONMENT = {"STUDIO_BASE": "http://127.0.0.1:1234/v1", "AZURE_VERSION": "2026-01-01"}


@pytest.fixture(scope="module")
def sample() -> Source:
    (source,) = merge([read(SAMPLE, environment=ENVIRONMENT)])
    return source


@pytest.fixture(scope="module")
def cards(sample: Source) -> dict[str, ModelCard]:
    return {item.card.id: item.card for item in sample.found}


@pytest.fixture(scope="module")
def notes(sample: Source) -> dict[str, str]:
    return {item.card.id: " ".join(item.notes) for item in sample.found}


def one(tmp_path: Path, *, environment: dict[str, str] | None = None, **entry: Any) -> Source:
    """What becomes of one entry, which is a model at a server of its own unless told otherwise."""
    parameters = {"model": "openai/m", "api_base": "http://10.0.0.1/v1"} | entry.pop("litellm_params", {})
    file = tmp_path / "config.yaml"
    whole = {"model_name": "m", "litellm_params": parameters, **entry}
    file.write_text(yaml.safe_dump({"model_list": [whole]}))
    return read(file, environment=environment or {})


def test_every_entry_is_either_taken_or_named_with_a_reason(sample: Source) -> None:
    entries = yaml.safe_load(SAMPLE.read_text())["model_list"]
    assert len(sample.found) + len(sample.left_out) == len(entries)
    assert all(item.name and item.reason for item in sample.left_out)


@pytest.mark.parametrize(
    ("name", "base_url", "model", "key"),
    [
        ("gpt-4.1-mini", "https://api.openai.com/v1", "gpt-4.1-mini", "OPENAI_API_KEY"),
        ("small", "https://api.openai.com/v1", "gpt-5-nano", "OPENAI_API_KEY"),
        (
            "house-model",
            "http://10.0.0.5:8000/v1",
            "Qwen/Qwen3-Coder-30B-A3B-Instruct",
            "LITELLM_VLLM_API_KEY",
        ),
        (
            "house-model-2",
            "http://10.0.0.6:8000/v1",
            "Qwen/Qwen3-Coder-30B-A3B-Instruct",
            "LITELLM_VLLM_API_KEY",
        ),
        ("llama", "http://localhost:11434/v1", "llama3.2:3b", None),
        ("studio", "http://127.0.0.1:1234/v1", "qwen/qwen3-8b", None),
        ("mistral-small", "https://api.mistral.ai/v1", "mistral-small-latest", "LITELLM_MISTRAL_API_KEY"),
        ("fast", "https://api.groq.com/openai/v1", "openai/gpt-oss-20b", "MY_GROQ_KEY"),
        ("deepseek", "https://api.deepseek.com/v1", "deepseek-v4-flash", "DEEPSEEK_API_KEY"),
        ("together", "https://api.together.ai/v1", "Qwen/Qwen3.5-9B", "TOGETHER_API_KEY"),
        ("router", "https://openrouter.ai/api/v1", "qwen/qwen3.5-9b", "OPENROUTER_API_KEY"),
        (
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            "accounts/fireworks/models/gpt-oss-20b",
            "FIREWORKS_API_KEY",
        ),
        ("old", "http://10.0.0.7:5000/v1", "davinci-local", None),
        ("embedder", "http://10.0.0.8:8001/v1", "bge-m3", None),
        (
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "gemini-2.5-flash",
            "GEMINI_API_KEY",
        ),
        ("listener", "https://api.openai.com/v1", "whisper-1", "OPENAI_API_KEY"),
    ],
)
def test_where_each_model_is_served(
    cards: dict[str, ModelCard], name: str, base_url: str, model: str, key: str | None
) -> None:
    upstream = cards[name].upstream
    assert (str(upstream.base_url), upstream.model, upstream.api_key_env) == (base_url, model, key)


@pytest.mark.parametrize(
    ("name", "base_url", "model", "key", "options"),
    [
        ("claude", None, "anthropic/claude-sonnet-4-5", "LITELLM_ANTHROPIC_API_KEY", {}),
        ("bedrock", None, "bedrock/amazon.nova-lite-v1:0", None, {"aws_region_name": "eu-west-1"}),
        (
            "azure",
            "https://x.openai.azure.com/",
            "azure/gpt-4o",
            "LITELLM_AZURE_API_KEY",
            {"api_version": "2026-01-01"},
        ),
        ("gemini-by-a-proxy", "https://proxy.example/v1beta", "gemini/gemini-2.5-flash", "GEMINI_API_KEY", {}),
    ],
)
def test_what_speaks_no_openai_is_asked_through_litellm(
    cards: dict[str, ModelCard], name: str, base_url: str | None, model: str, key: str | None, options: dict[str, str]
) -> None:
    upstream = cards[name].upstream
    assert upstream.kind == "litellm"
    assert str(upstream.base_url) == str(base_url)
    assert (upstream.model, upstream.api_key_env, upstream.options) == (model, key, options)
    assert cards[name].tools


def test_only_those_are(sample: Source, cards: dict[str, ModelCard]) -> None:
    through = {name for name, card in cards.items() if card.upstream.kind == "litellm"}
    assert through == {"claude", "bedrock", "azure", "gemini-by-a-proxy"}
    assert any("make providers" in note for note in sample.notes)


def test_stated_facts_are_taken_over(cards: dict[str, ModelCard]) -> None:
    small = cards["small"]
    assert (small.price.input, small.price.output) == (0.05, 0.4)
    assert (small.context_window, small.max_output_tokens) == (272_000, 128_000)
    assert small.tools
    assert small.json_mode
    assert small.modalities == {"text", "image"}
    house = cards["house-model"]
    assert house.context_window == 32_768
    assert house.upstream.first_byte_timeout_s == 120
    assert house.tags == {"private"}
    assert "code" in house.description
    assert cards["embedder"].endpoint == "embeddings"
    assert cards["listener"].endpoint == "audio"


def test_what_is_known_of_a_hosted_model_fills_the_gaps(cards: dict[str, ModelCard]) -> None:
    fast = cards["fast"]
    assert fast.context_window == 131_072
    assert fast.tools
    assert (fast.price.input, fast.price.output) == (0.075, 0.3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("instruct", "text completion only"),
        ("unheard", "nobody, is not known here"),
        ("*", "wildcard"),
        ("ranker", "mode rerank"),
        ("vllm-nowhere", "no api_base"),
        ("with-password", "password"),
        ("nameless", "litellm_params.model"),
        ("an entry without a name", "valid dictionary"),
    ],
)
def test_what_is_left_out_is_told_with_its_reason(sample: Source, name: str, words: str) -> None:
    reasons = {item.name: item.reason for item in sample.left_out}
    assert words in reasons[name]


def test_no_secret_reaches_the_file_or_the_notes(sample: Source) -> None:
    text = document.render([sample], specialists=None) + repr(sample)
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("house-model", "set LITELLM_VLLM_API_KEY"),
        ("house-model", "LiteLLM calls it 'house model'"),
        ("house-model-2", "Another deployment of house model"),
        ("house-model-2", "context window is not stated"),
        ("gpt-4.1-mini", "Not taken over: rpm."),
        ("old", "must have both"),
        ("bedrock", "AWS_SECRET_ACCESS_KEY"),
        ("bedrock", "Not taken over: aws_secret_access_key."),
        ("azure", "Not taken over: max_retries."),
    ],
)
def test_what_a_person_should_know_is_noted(notes: dict[str, str], name: str, words: str) -> None:
    assert words in notes[name]


def test_a_hosted_chat_model_is_taken_to_have_tools_and_others_are_not(
    cards: dict[str, ModelCard], tmp_path: Path
) -> None:
    plain = one(tmp_path, litellm_params={"model": "gpt-4o", "api_base": None}).found[0].card
    denied = {"supports_function_calling": False}
    without = one(tmp_path, litellm_params={"model": "gpt-4o", "api_base": None}, model_info=denied).found[0].card
    embedder = one(tmp_path, litellm_params={"model": "text-embedding-3-large", "api_base": None}).found[0].card
    assert plain.tools
    assert plain.json_mode
    assert not without.tools
    assert not embedder.tools
    assert not cards["house-model"].tools


def test_other_sections_are_named(sample: Source) -> None:
    assert "litellm_settings, general_settings, environment_variables" in sample.notes[-1]


def test_a_key_in_the_environment_under_the_wished_name_is_used_if_it_is_the_same(tmp_path: Path) -> None:
    spelt = {"model": "hosted_vllm/m", "api_key": "s3cret"}
    same = one(tmp_path, litellm_params=spelt, environment={"LITELLM_VLLM_API_KEY": "s3cret"})
    other = one(tmp_path, litellm_params=spelt, environment={"LITELLM_VLLM_API_KEY": "another"})
    assert same.found[0].card.upstream.api_key_env == "LITELLM_VLLM_API_KEY"
    assert other.found[0].card.upstream.api_key_env == "LITELLM_VLLM_API_KEY_2"


def test_a_provider_elsewhere_never_gets_the_providers_own_key(tmp_path: Path) -> None:
    source = one(tmp_path, environment={"OPENAI_API_KEY": "sk-real"})
    assert source.found[0].card.upstream.api_key_env is None


def test_a_provider_at_its_own_address_spelt_out_is_the_provider(tmp_path: Path) -> None:
    there = {"model": "openrouter/qwen/qwen3.5-9b", "api_base": "https://openrouter.ai/api/v1/"}
    (item,) = one(tmp_path, litellm_params=there).found
    assert item.card.upstream.api_key_env == "OPENROUTER_API_KEY"
    assert item.card.price.input > 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"api_base": "os.environ/UNSET_BASE"}, "environment variable UNSET_BASE"),
        ({"api_base": "ftp://10.0.0.1/v1"}, "upstream.base_url"),
        ({"api_base": "http://[::1/v1"}, "no address"),
        ({"api_key": "os.environ/not a name"}, "no variable's name"),
        ({"model": "some-model", "api_base": None}, "names no provider"),
        ({"input_cost_per_token": 7}, "litellm_params.input_cost_per_token"),
        ({"api_key": 7}, "litellm_params.api_key"),
    ],
)
def test_faulty_parameters_leave_the_entry_out(tmp_path: Path, parameters: dict[str, Any], words: str) -> None:
    (item,) = one(tmp_path, litellm_params=parameters).left_out
    assert words in item.reason


def test_an_empty_model_info_is_none(tmp_path: Path) -> None:
    assert [item.card.id for item in one(tmp_path, model_info=None).found] == ["m"]


def test_a_name_that_asks_the_gateway_to_choose_is_changed(tmp_path: Path) -> None:
    assert one(tmp_path, model_name="auto").found[0].card.id == "model-auto"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_list: {", "cannot be read as YAML"),
        ("when: 2026-13-45", "cannot be read as YAML"),
        ("\N{NULL}", "cannot be read as YAML"),
        ("[" * 5000, "cannot be read as YAML"),
        ("models: []", "has no `model_list`"),
        ("- model_list", "has no `model_list`"),
        ("", "has no `model_list`"),
    ],
)
def test_a_file_that_is_no_litellm_configuration(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read(file, environment={})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        read(tmp_path / "nowhere.yaml", environment={})
