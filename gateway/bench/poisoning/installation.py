"""A gateway in a process of its own, before models that answer at once, spoken to over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.bench.serving import ADMIN_KEY, KEY, gateway
from gateway.transport import Client, Origin

MOST_BYTES: Final = 1 << 30

UNHURRIED: Final = 1e6
"""Outcomes an hour that a source may give: a replay is faster than people are."""


class Failed(Exception):
    """The gateway did not do its part; the message says what it answered."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway to start: so many ``models`` at port ``upstream``, and whether it judges whom to ``trust``."""

    models: int
    upstream: int
    embedder: str
    trust: bool


class Told(msgspec.Struct):
    """What became of one outcome."""

    status: str = ""
    reason: str | None = None
    error: dict[str, Any] | None = None


class _Results(msgspec.Struct):
    results: list[Told]


class _Answer(msgspec.Struct):
    decision_id: str


class _Doubtful(msgspec.Struct):
    answers: list[_Answer]


class Installation:
    """A client of a running gateway."""

    def __init__(self, *, client: Client, url: str) -> None:
        self._client = client
        self._origin = Origin(url)

    async def ask(self, prompt: str) -> tuple[str, int]:
        """The decision's id, and the number of the model that answered."""
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
        head, _ = await self._post("/v1/chat/completions", body)
        return head[b"x-polyculture-decision-id"].decode(), int(head[b"x-polyculture-model"].removeprefix(b"model-"))

    async def tell(self, items: list[dict[str, Any]]) -> list[Told]:
        """Give feedback, and hear what becomes of it."""
        _, answer = await self._post("/v1/feedback", items)
        found = msgspec.json.decode(answer, type=_Results).results
        if refused := [each.error for each in found if each.error is not None]:
            raise Failed(f"feedback was refused: {refused[0]}")
        return found

    async def doubtful(self, most: int) -> list[str]:
        """The decisions whose answers an audit would tell most of."""
        _, answer = await self._exchange(b"GET", f"/admin/v1/feedback/doubtful?limit={most}", b"", ADMIN_KEY)
        return [each.decision_id for each in msgspec.json.decode(answer, type=_Doubtful).answers]

    async def audit(self, decision: str, score: float) -> None:
        """Say what an answer is worth."""
        await self._post("/admin/v1/feedback/audit", {"id": decision, "score": score}, key=ADMIN_KEY)

    async def revoke(self, users: list[str]) -> int:
        """Take back what these end users said; how many outcomes that were."""
        order = {"tenant": "default", "sources": [f"default/{user}" for user in users]}
        _, answer = await self._post("/admin/v1/feedback/revoke", order, key=ADMIN_KEY)
        outcomes: int = msgspec.json.decode(answer)["outcomes"]
        return outcomes

    async def export(self) -> bytes:
        """What the router has learned."""
        _, answer = await self._exchange(b"GET", "/admin/v1/router/export", b"", ADMIN_KEY)
        return answer

    async def _post(self, path: str, document: Any, *, key: str = KEY) -> tuple[dict[bytes, bytes], bytes]:
        return await self._exchange(b"POST", path, msgspec.json.encode(document), key)

    async def _exchange(self, method: bytes, path: str, body: bytes, key: str) -> tuple[dict[bytes, bytes], bytes]:
        headers = [(b"authorization", b"Bearer " + key.encode()), (b"content-type", b"application/json")]
        async with await self._client.request(method, self._origin, path.encode(), headers, body) as response:
            answer = await response.read(limit=MOST_BYTES)
            if response.status != 200:
                raise Failed(f"{path} was answered {response.status}: {answer[:500].decode(errors='replace')}")
            return dict(response.headers), answer


@asynccontextmanager
async def installed(folder: Path, setup: Setup) -> AsyncIterator[Installation]:
    """A gateway with its files in ``folder`` until the block ends.

    Raises :class:`gateway.bench.process.ProcessFailed` where it does not start.
    """
    with gateway(folder, _configuration(setup), POLYCULTURE_EMBEDDER=setup.embedder) as serving:
        await asyncio.to_thread(serving.process.first_answer_s, port=serving.port, key=KEY, model="model-0")
        async with Client() as client:
            yield Installation(client=client, url=serving.url)


def _configuration(setup: Setup) -> dict[str, Any]:
    server = {"base_url": f"http://127.0.0.1:{setup.upstream}/v1", "model": "mock"}
    cards = [{"id": f"model-{each}", "description": "A model.", "upstream": server} for each in range(setup.models)]
    return {"models": cards, "feedback": {"trust": setup.trust, "per_hour": UNHURRIED}}
