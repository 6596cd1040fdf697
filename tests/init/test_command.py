"""``polyculture init`` as a person runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import gateway
from gateway.config import load
from gateway.init.command import init
from gateway.specialists.cards import catalogue

from . import servers

SAMPLE = Path(__file__).with_name("litellm-config.yaml")


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to run in, and no provider's key in the environment."""
    from gateway.init.hosted import providers

    for provider in providers():
        for key in provider.keys:
            monkeypatch.delenv(key, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **environment: str) -> Result:
    result = CliRunner().invoke(init, arguments, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_local_servers_and_keys_become_a_configuration(somewhere: Path) -> None:
    with servers.serving(servers.ollama()) as first, servers.serving(servers.vllm()) as second:
        result = run("--port", str(first), "--port", str(second), MISTRAL_API_KEY="secret-value")
    configuration = load(somewhere / "polyculture.yaml")
    ids = [card.id for card in configuration.models]
    assert result.exit_code == 0
    assert {"qwen2.5-coder:7b", "Qwen/Qwen3-4B", "mistral/codestral-latest"} <= set(ids)
    assert not configuration.specialists
    assert all(f"+ {name}" in result.output for name in ids)
    assert f"Ollama on 127.0.0.1:{first}" in result.output
    assert "POLYCULTURE_CONFIG=polyculture.yaml polyculture serve" in result.output
    assert "secret-value" not in result.output + (somewhere / "polyculture.yaml").read_text()


def test_a_litellm_file_is_imported_and_missing_keys_are_told(somewhere: Path) -> None:
    keys = {"OPENAI_API_KEY": "k", "AZURE_VERSION": "v", "MISTRAL_API_KEY": "m"}
    result = run("--litellm", str(SAMPLE), "--out", "mine.yaml", **keys)
    ids = [card.id for card in load(somewhere / "mine.yaml").models]
    assert result.exit_code == 0
    assert not any(name.startswith("mistral/") for name in ids)  # a key that is set, a provider that the file lacks
    assert "house-model-2" in ids
    assert "- left out: unheard: its provider, nobody" in result.output
    assert "export LITELLM_VLLM_API_KEY=..." in result.output
    assert "export OPENAI_API_KEY" not in result.output
    assert "sk-house-secret-1" not in result.output + (somewhere / "mine.yaml").read_text()


def test_an_imported_model_that_is_also_found_here_is_written_once(somewhere: Path) -> None:
    with servers.serving(servers.vllm()) as port:
        entry = f"{{model: hosted_vllm/Qwen/Qwen3-4B, api_base: 'http://localhost:{port}/v1'}}"
        Path("config.yaml").write_text(f"model_list: [{{model_name: mine, litellm_params: {entry}}}]\n")
        result = run("--litellm", "config.yaml", "--port", str(port))
    assert [card.id for card in load(somewhere / "polyculture.yaml").models] == ["mine", "sql-lora"]
    assert "the same model at the same address as mine" in result.output


def test_with_detect_an_import_is_added_to(somewhere: Path) -> None:
    Path("config.yaml").write_text("model_list: [{model_name: mine, litellm_params: {model: gpt-4.1-mini}}]\n")
    assert run("--litellm", "config.yaml", "--detect", MISTRAL_API_KEY="m").exit_code == 0
    ids = [card.id for card in load(somewhere / "polyculture.yaml").models]
    assert ids[0] == "mine"
    assert "mistral/codestral-latest" in ids


def test_the_demo_looks_for_nothing_else(somewhere: Path) -> None:
    with servers.serving(servers.vllm()) as port:
        result = run("--demo", "--port", str(port), OPENAI_API_KEY="k")
    configuration = load(somewhere / "polyculture.yaml")
    assert result.exit_code == 0
    assert configuration.specialists
    assert configuration.models == ()
    assert "built-in demo models are switched on" in result.output
    described = {name: override.description for name, override in configuration.overrides.items()}
    assert described == {entry.id: entry.description for entry in catalogue()}


def test_an_imported_model_never_takes_a_demo_models_id(somewhere: Path) -> None:
    entry = "{model_name: mathematics, litellm_params: {model: gpt-4.1-mini}}"
    Path("config.yaml").write_text(f"model_list: [{entry}]\n")
    assert run("--demo", "--litellm", "config.yaml").exit_code == 0
    assert [card.id for card in load(somewhere / "polyculture.yaml").models] == ["mathematics-2"]


def test_where_nothing_is_found_the_demo_is_switched_on(somewhere: Path) -> None:
    result = run("--no-detect")
    assert load(somewhere / "polyculture.yaml").specialists
    assert "No model was found." in result.output
    assert "built-in demo models are switched on" in result.output


def test_what_a_server_says_cannot_steer_the_terminal(somewhere: Path) -> None:
    with servers.serving({"/v1/models": servers.models("\x1b[2J\ud800rerank")}) as port:
        result = run("--port", str(port))
    assert "[2J rerank: by its name" in result.output
    assert "\x1b" not in result.output


def test_a_gateway_found_on_the_way_is_named_and_not_taken(somewhere: Path) -> None:
    routes = {"/v1/models": servers.models("auto"), "/healthz": {"service": "polyculture"}}
    with servers.serving(routes) as port:
        result = run("--port", str(port))
    assert load(somewhere / "polyculture.yaml").models == ()
    assert "left alone" in result.output


def test_a_file_is_replaced_only_by_force(somewhere: Path) -> None:
    out = somewhere / "polyculture.yaml"
    out.write_text("precious: yes\n")
    refused = run("--no-detect")
    assert refused.exit_code == 1
    assert "pass --force" in refused.output
    assert out.read_text() == "precious: yes\n"
    assert run("--no-detect", "--force").exit_code == 0
    assert load(out).specialists


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--litellm", "nowhere.yaml"), "cannot be read as YAML"),
        (("--no-detect", "--out", "no/such/folder/p.yaml"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert words in result.output


def test_asking_for_help_loads_nothing_heavy() -> None:
    code = "import sys, gateway.init.command; print({'httpx', 'yaml', 'pydantic'} & set(sys.modules))"
    root = Path(gateway.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
