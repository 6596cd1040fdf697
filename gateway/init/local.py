"""Model servers on this machine, found by asking their usual ports for ``GET /v1/models``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import OK
from pathlib import PureWindowsPath
from typing import Any

import httpx

from gateway.init import dialect
from gateway.init.source import Found, LeftOut, Source, collect, model_id, take
from gateway.init.traits import Traits, describe, is_embedder, is_unserved

USUAL_PORTS = (11434, 8000, 1234, 8080, 3000)
"""Ollama; vLLM; LM Studio; llama.cpp's server and LocalAI; text-generation-inference."""

_LARGEST_ANSWER = 8 * 2**20


async def find(ports: Sequence[int] = USUAL_PORTS, *, patience_s: float = 2.0) -> list[Source]:
    """A source for each port of 127.0.0.1 where a model server answers, or something that wants a key.

    ``patience_s`` bounds each request. A port where nothing, or something else, answers is passed over.
    """
    limits = httpx.Limits(max_connections=16)
    async with httpx.AsyncClient(timeout=patience_s, limits=limits, trust_env=False) as client:
        sources = await asyncio.gather(
            *(Server(client=client, port=port, patience_s=patience_s).source() for port in ports)
        )
    return [source for source in sources if source is not None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: httpx.Headers
    content: bytes

    def object(self) -> dict[str, Any]:
        """The JSON object that it holds; empty when it holds none."""
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


class Server:
    """Whatever listens on a port of 127.0.0.1."""

    def __init__(self, *, client: httpx.AsyncClient, port: int, patience_s: float) -> None:
        self._client = client
        self._patience_s = patience_s
        self._root = f"http://127.0.0.1:{port}"
        self._where = f"127.0.0.1:{port}"

    async def source(self) -> Source | None:
        """What it offers; None when nothing answers there or the answer is no list of models."""
        answer = await self._request("GET", "/v1/models")
        if answer is None:
            return None
        if await self._is_polyculture(answer):
            title, note = f"Polyculture on {self._where}", "This is a gateway like this one: left alone."
            return collect(title, [], notes=[note])
        if answer.status in (401, 403) and "error" in answer.object():
            title, note = (
                f"A server on {self._where}",
                "It wants a key: add its models by hand, with api_key_env.",
            )
            return collect(title, [], notes=[note])
        listing = dialect.listing(answer.object()) if answer.status == OK else None
        if listing is None:
            return None
        kind, traits = await dialect.recognise(self.ask, listing)
        return collect(f"{kind} on {self._where}", self._models(traits))

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that answers a request; empty for anything but a 200 with one."""
        answer = await self._request(method, path, body)
        return answer.object() if answer is not None and answer.status == OK else {}

    async def _is_polyculture(self, answer: Answer) -> bool:
        health = await self._request("GET", "/healthz")
        says_so = health is not None and health.object().get("service") == "polyculture"
        return says_so or any(name.startswith("x-polyculture") for name in answer.headers)

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer | None:
        try:
            async with (
                asyncio.timeout(self._patience_s),
                self._client.stream(method, self._root + path, json=body) as answer,
            ):
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > _LARGEST_ANSWER:
                        return None
        except (httpx.HTTPError, TimeoutError):
            return None
        return Answer(status=answer.status_code, headers=answer.headers, content=bytes(content))

    def _models(self, traits: Mapping[str, Traits]) -> Iterator[Found | LeftOut]:
        for name, trait in traits.items():
            if is_unserved(name):
                yield LeftOut(name=name, reason="by its name it neither chats nor embeds")
            else:
                yield take(self._card(name, trait), notes=[trait.note] if trait.note else [])

    def _card(self, name: str, trait: Traits) -> dict[str, Any]:
        embeds = trait.embeddings or is_embedder(name)
        fields: dict[str, Any] = {
            "id": model_id(_short(name)),
            "upstream": {"base_url": f"{self._root}/v1", "model": name},
            "endpoint": "embeddings" if embeds else "chat",
            "description": describe(_short(name), vision=trait.vision),
            "modalities": {"text", "image"} if trait.vision else {"text"},
            "tools": trait.tools and not embeds,
            "json_mode": trait.json_mode and not embeds,
        }
        if trait.context_window is not None:
            fields["context_window"] = trait.context_window
        return fields


def _short(name: str) -> str:
    """The model's name; llama.cpp gives a file's path, of which the stem says enough."""
    return PureWindowsPath(name).stem if name.endswith(".gguf") else name
