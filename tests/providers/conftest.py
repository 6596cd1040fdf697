"""A gateway with the real litellm, before providers on loopback, and with no way out but to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import gateway, packages, upstream
from tests.support.gateway import Gateway
from tests.support.providers import Providers
from tests.support.trap import Trap

#: The providers' key: it must show nowhere but in what they are sent.
MARKER = "sk-marker-4f1c9"

#: How each model is asked: what litellm calls it, and its provider's path.
MODELS = {
    "claude": ("anthropic/claude-sonnet-4-5", ""),
    "gemini": ("gemini/gemini-2.5-flash", "/v1beta"),
    "azure": ("azure/gpt-4o", ""),
    "mistral": ("mistral/mistral-small-latest", "/v1"),
}
EMBEDDERS = {
    "gemini-embedding": ("gemini/text-embedding-004", "/v1beta"),
    "azure-embedding": ("azure/text-embedding-3-small", ""),
    "mistral-embedding": ("mistral/mistral-embed", "/v1"),
}


@pytest.fixture(scope="session")
def shared_providers() -> Iterator[Providers]:
    with upstream.running(Providers()) as server:
        yield server


@pytest.fixture
def providers(shared_providers: Providers) -> Providers:
    """The providers, without earlier tests' scripts and calls."""
    shared_providers.clear()
    return shared_providers


@pytest.fixture(scope="session")
def provided(shared_providers: Providers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway. Nothing of it may ever want to leave this machine, or tell the providers' key."""
    home = tmp_path_factory.mktemp("provided")
    with upstream.running(Trap()) as trap:
        environment = {"PYTHONPATH": str(packages.litellm()), "PROVIDER_KEY": MARKER, **trap.environment}
        with gateway.launched(home, configured(shared_providers), **environment) as running:
            yield running
        assert trap.wanted == []
    assert [path for path in home.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes()] == []


def configured(providers: Providers) -> dict[str, Any]:
    chats = [card(name, model, providers, path, tools=True, json_mode=True) for name, (model, path) in MODELS.items()]
    embedders = [card(name, model, providers, path, endpoint="embeddings") for name, (model, path) in EMBEDDERS.items()]
    hasty = [
        card(f"hasty-{name}", model, providers, path, patience_s=0.4, tags=["hasty"])
        for name, (model, path) in MODELS.items()
    ]
    return {"models": [*chats, *embedders, *hasty], "routing": {"retries": 0}}


def card(
    name: str, model: str, providers: Providers, path: str, *, patience_s: float = 20.0, **fields: Any
) -> dict[str, Any]:
    reached = {
        "kind": "litellm",
        "model": model,
        "base_url": providers.url.removesuffix("/v1") + path,
        "api_key_env": "PROVIDER_KEY",
        "first_byte_timeout_s": patience_s,
        "idle_timeout_s": patience_s,
    }
    return {"id": name, "upstream": reached, "modalities": ["text", "image"], **fields}
