"""A LiteLLM proxy's configuration with five providers: each is imported, and serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from gateway.init.command import init
from tests.providers.conftest import MARKER
from tests.support import gateway, packages
from tests.support.gateway import Gateway
from tests.support.providers import Providers

KEYS = {"OPENAI_API_KEY": MARKER, "AZURE_VERSION": "2026-01-01"}


def entries(providers: Providers) -> list[dict[str, Any]]:
    host = providers.url.removesuffix("/v1")
    named = {"api_key": "os.environ/OPENAI_API_KEY"}
    azure = {"api_base": host, "api_version": "os.environ/AZURE_VERSION", "api_key": "os.environ/AZURE_KEY"}
    parameters = [
        {"model": "openai/gpt-4.1-mini", "api_base": providers.url, **named},
        {"model": "anthropic/claude-sonnet-4-5", "api_base": host, "api_key": MARKER},
        {"model": "gemini/gemini-2.5-flash", "api_base": f"{host}/v1beta", **named},
        {"model": "mistral/mistral-small-latest", "api_base": providers.url, **named},
        {"model": "azure/gpt-4o", **azure},
    ]
    return [{"model_name": each["model"].partition("/")[0], "litellm_params": each} for each in parameters]


@pytest.fixture(scope="module")
def imported(shared_providers: Providers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration that ``polyculture init`` writes."""
    home = tmp_path_factory.mktemp("imported")
    source, out = home / "config.yaml", home / "polyculture.yaml"
    source.write_text(yaml.safe_dump({"model_list": entries(shared_providers)}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(packages.litellm()))
        arguments = ["--litellm", str(source), "--no-detect", "--out", str(out)]
        done = CliRunner().invoke(init, arguments, env=KEYS, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "left out" not in done.output
    assert "make providers" in done.output
    assert MARKER not in done.output + out.read_text(encoding="utf-8")
    configuration: dict[str, Any] = yaml.safe_load(out.read_text(encoding="utf-8"))
    return configuration


@pytest.fixture(scope="module")
def serving(imported: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    secrets = {"OPENAI_API_KEY": MARKER, "LITELLM_ANTHROPIC_API_KEY": MARKER, "AZURE_KEY": MARKER}
    home = tmp_path_factory.mktemp("serving")
    with gateway.launched(home, imported, PYTHONPATH=str(packages.litellm()), **secrets) as running:
        yield running
    assert MARKER not in running.log


def test_each_is_reached_as_it_must_be(imported: dict[str, Any]) -> None:
    kinds = {card["id"]: card["upstream"].get("kind", "openai") for card in imported["models"]}
    assert kinds == {
        **dict.fromkeys(("anthropic", "gemini", "azure"), "litellm"),
        **dict.fromkeys(("openai", "mistral"), "openai"),
    }


def test_prices_and_windows_are_suggested_where_the_file_is_silent(imported: dict[str, Any]) -> None:
    cards = {card["id"]: card for card in imported["models"]}
    assert cards["anthropic"]["price"] == {"input": 3.0, "output": 15.0, "cached_input": 0.3}
    assert cards["anthropic"]["context_window"] == 1_000_000
    assert cards["gemini"]["modalities"] == ["audio", "image", "text"]
    assert cards["azure"]["max_output_tokens"] == 16_384
    assert "price" not in cards["openai"]  # served elsewhere than at OpenAI's: whose price it is, nobody knows


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "mistral", "azure"])
def test_each_serves(serving: Gateway, providers: Providers, name: str, streaming: bool) -> None:
    answer = serving.chat(model=name, stream=streaming)
    assert answer.status_code == 200, answer.text
    (call,) = providers.calls
    assert ("Hello from" if not streaming else "[DONE]") in answer.text
    assert MARKER in call.head.decode()


def test_what_a_provider_must_know_besides_is_told(serving: Gateway, providers: Providers) -> None:
    assert serving.chat(model="azure").status_code == 200
    assert b"api-version=2026-01-01" in providers.calls[-1].head


def test_all_of_them_are_candidates(serving: Gateway) -> None:
    assert set(serving.probabilities()) == {"openai", "anthropic", "gemini", "mistral", "azure"}
