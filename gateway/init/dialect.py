"""How each kind of local server tells what its models can do, beyond the list that all of them give.

Ollama: ``/api/show`` and ``/api/ps``. LM Studio: ``/api/v0/models``. llama.cpp's server: ``/props``.
text-generation-inference: ``/info``. vLLM: in the list itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from gateway.init.traits import Traits

_OLLAMA_WINDOW = 4096
"""Tokens that Ollama loads a model with on a small machine when nobody said otherwise."""

Object = Mapping[str, Any]
"""A JSON object."""

Listing = Mapping[str, Object]
"""The entries of ``GET /v1/models``, by model."""


class Ask(Protocol):
    """A way to send one request to the server."""

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Awaitable[Object]:
        """The JSON object that answers it; empty for anything else."""
        ...


def listing(document: Object) -> Listing | None:
    """The entries of a list of models; None when ``document`` is something else."""
    entries = _items(document, "data")
    named = {entry["id"]: entry for entry in entries if isinstance(entry.get("id"), str) and entry["id"]}
    return named or None


async def recognise(ask: Ask, models: Listing) -> tuple[str, dict[str, Traits]]:
    """The server's kind, for people, and what it tells about each listed model."""
    kinds = list(_DIALECTS)
    answers = await asyncio.gather(*(_DIALECTS[kind](ask, models) for kind in kinds))
    for kind, traits in zip(kinds, answers, strict=True):
        if traits is not None:
            return kind, traits
    vllm = any(entry.get("owned_by") == "vllm" for entry in models.values())
    return "vLLM" if vllm else "An OpenAI-compatible server", _listed(models, json_mode=vllm)


def _listed(models: Listing, *, json_mode: bool) -> dict[str, Traits]:
    """What the list alone tells; an adapter (LoRA) has its parent's context window."""
    traits = {}
    for name, entry in models.items():
        parent = models.get(str(entry.get("parent")), {})
        traits[name] = Traits(context_window=_window(entry) or _window(parent), json_mode=json_mode)
    return traits


def _window(entry: Object) -> int | None:
    places = (entry, _object(entry.get("meta")))
    fields = (
        "max_model_len",
        "context_length",
        "context_window",
        "max_context_length",
        "n_ctx",
        "n_ctx_train",
    )
    return next((size for field in fields for place in places if (size := _tokens(place.get(field)))), None)


async def _ollama(ask: Ask, models: Listing) -> dict[str, Traits] | None:
    version, running = await asyncio.gather(ask("GET", "/api/version"), ask("GET", "/api/ps"))
    if "version" not in version:
        return None
    loaded = {str(entry.get("name")): _tokens(entry.get("context_length")) for entry in _items(running, "models")}
    shown = await asyncio.gather(*(ask("POST", "/api/show", {"model": name}) for name in models))
    return {name: _ollama_model(show, loaded.get(name)) for name, show in zip(models, shown, strict=True)}


def _ollama_model(show: Object, loaded: int | None) -> Traits:
    """Ollama cuts prompts silently at the window it loads a model with, often less than the model takes."""
    details = _object(show.get("model_info"))
    limit = next((_tokens(size) for key, size in details.items() if str(key).endswith(".context_length")), None)
    set_to = re.search(r"^num_ctx\s+(\d{1,9})\s*$", str(show.get("parameters")), re.MULTILINE)
    window = (_tokens(int(set_to[1])) if set_to else None) or loaded or _OLLAMA_WINDOW
    can = _words(show.get("capabilities"))
    shortened = f"Ollama loads it with {window} of the {limit} tokens it can take: see OLLAMA_CONTEXT_LENGTH."
    return Traits(
        context_window=min(window, limit or window),
        tools="tools" in can,
        json_mode=True,
        vision="vision" in can,
        embeddings="embedding" in can and "completion" not in can,
        note=shortened if limit and limit > window else None,
    )


async def _lm_studio(ask: Ask, models: Listing) -> dict[str, Traits] | None:
    entries = {str(entry.get("id")): entry for entry in _items(await ask("GET", "/api/v0/models"), "data")}
    if not any("max_context_length" in entry for entry in entries.values()):
        return None
    return {name: _lm_studio_model(entries.get(name, {})) for name in models}


def _lm_studio_model(entry: Object) -> Traits:
    return Traits(
        context_window=_tokens(entry.get("loaded_context_length")) or _tokens(entry.get("max_context_length")),
        tools="tool_use" in _words(entry.get("capabilities")),
        vision=entry.get("type") == "vlm",
        embeddings=entry.get("type") == "embeddings",
    )


async def _llama_cpp(ask: Ask, models: Listing) -> dict[str, Traits] | None:
    props = await ask("GET", "/props")
    if "default_generation_settings" not in props:
        return None
    traits = Traits(
        context_window=_tokens(_object(props["default_generation_settings"]).get("n_ctx")),
        json_mode=True,
        tools=_object(props.get("chat_template_caps")).get("supports_tools") is True,
        vision=_object(props.get("modalities")).get("vision") is True,
    )
    return {name: replace(traits, context_window=traits.context_window or _window(models[name])) for name in models}


async def _text_generation_inference(ask: Ask, models: Listing) -> dict[str, Traits] | None:
    size = _tokens((await ask("GET", "/info")).get("max_total_tokens"))
    if size is None:
        return None
    return dict.fromkeys(models, Traits(context_window=size, json_mode=True, tools=True))


_DIALECTS: dict[str, Callable[[Ask, Listing], Awaitable[dict[str, Traits] | None]]] = {
    "Ollama": _ollama,
    "LM Studio": _lm_studio,
    "llama.cpp": _llama_cpp,
    "text-generation-inference": _text_generation_inference,
}


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _words(value: Any) -> frozenset[str]:
    words = value if isinstance(value, list) else []
    return frozenset(word for word in words if isinstance(word, str))


def _items(document: Object, field: str) -> list[dict[str, Any]]:
    """The objects in a list that ``document`` holds under ``field``."""
    entries = document.get(field)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _tokens(value: Any) -> int | None:
    """A positive whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
