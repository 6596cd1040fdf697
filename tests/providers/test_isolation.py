"""What a client may not reach: keys, other addresses, litellm's own switches. And what nobody pays for unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigurationError
from gateway.providers.library import required
from tests.providers.conftest import MARKER, MODELS
from tests.support import packages, upstream
from tests.support.gateway import Gateway
from tests.support.providers import Providers
from tests.support.trap import Trap

STARTED = """
import asyncio, sys
from pathlib import Path
from gateway.config import parse
from gateway.service import running
from gateway.settings import Settings

async def main():
    upstream = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
    configuration = parse({"models": [{"id": "m", "upstream": upstream}]}, origin="here")
    async with running(Settings(data_dir=Path(sys.argv[1]), embedder="static"), configuration):
        pass

asyncio.run(main())
print(*({"litellm", "openai", "boto3"} & set(sys.modules)))
"""


def python(code: str, *arguments: str, **environment: str) -> str:
    """What a script prints that has litellm at hand."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(packages.litellm()), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.fixture
def elsewhere() -> Any:
    with upstream.running(Providers()) as server:
        yield server


@pytest.mark.parametrize("name", MODELS)
def test_a_client_cannot_say_where_or_as_whom_to_ask(
    provided: Gateway, providers: Providers, elsewhere: Providers, name: str
) -> None:
    address = elsewhere.url.removesuffix("/v1")
    tricks: dict[str, Any] = {
        **dict.fromkeys(("api_base", "base_url", "azure_endpoint", "proxy", "vertex_endpoint"), address),
        **dict.fromkeys(("api_key", "azure_ad_token", "organization", "aws_access_key_id"), "sk-theirs"),
        **{name: {"x-smuggled": "yes"} for name in ("extra_headers", "headers", "extra_body", "extra_query")},
        **dict.fromkeys(("mock_response", "mock_tool_calls"), "smuggled"),
        **dict.fromkeys(("num_retries", "max_retries"), 3),
        "timeout": 0.001,
        "custom_llm_provider": "openai",
        "fallbacks": [{"model": "openai/other", "api_base": address}],
        "context_window_fallback_dict": {MODELS[name][0]: "openai/other"},
        "model_list": [{"model_name": MODELS[name][0], "litellm_params": {"model": "openai/x", "api_base": address}}],
        "callbacks": ["langfuse"],
        "litellm_logging_obj": {},
        "client": {},
    }
    answer = provided.chat(model=name, **tricks)
    assert answer.status_code == 200, answer.text
    (call,) = providers.calls
    assert answer.json()["choices"][0]["message"]["content"] == f"Hello from {call.model}."
    sent = call.head.decode().lower() + call.body.decode()
    assert MARKER in sent
    assert not any(trick in sent for trick in ("smuggled", "sk-theirs", address))
    assert elsewhere.calls == []


@pytest.mark.parametrize("name", MODELS)
def test_images_are_not_fetched_from_this_network(
    provided: Gateway, providers: Providers, elsewhere: Providers, name: str
) -> None:
    image = {"type": "image_url", "image_url": {"url": f"{elsewhere.url}/secret.png"}}
    answer = provided.chat(model=name, messages=[{"role": "user", "content": [image]}])
    assert answer.status_code in (200, 400, 502)  # some providers fetch images themselves
    assert elsewhere.probes == 0
    assert all(b"secret.png" in call.body for call in providers.calls)


def test_no_endpoint_tells_the_key(provided: Gateway) -> None:
    name = provided.chat(model="claude").headers["x-polyculture-decision-id"]
    for path in ("/v1/models", "/v1/models/claude", f"/v1/decisions/{name}", "/metrics", "/openapi.json", "/readyz"):
        answer = provided.client.get(path)
        assert answer.status_code == 200
        assert MARKER not in answer.text


def test_litellm_is_imported_only_where_a_card_needs_it(tmp_path: Path) -> None:
    assert python(STARTED, str(tmp_path)).split() == []


def test_nothing_wants_to_leave_this_machine(provided: Gateway) -> None:
    assert provided.chat(model="claude").status_code == 200  # at its end, the fixture looks into its trap
    with upstream.running(Trap()) as trap:
        python("import httpx; httpx.get('http://example.org/')", **trap.environment)
        assert trap.wanted == ["GET http://example.org/ HTTP/1.1"]


def test_without_litellm_the_gateway_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"make providers"):
        required()


def test_with_litellm_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(packages.litellm()))
    required()
    assert "litellm" not in sys.modules


def test_private_requests_reach_no_provider(provided: Gateway, providers: Providers) -> None:
    private = {"x-polyculture-private": "true"}
    assert provided.chat("PLANTED", headers=private).status_code == 400
    for name in MODELS:
        assert provided.chat("PLANTED", model=name, headers=private).status_code == 403
    assert not providers.calls
