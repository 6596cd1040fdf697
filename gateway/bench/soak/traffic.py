"""What clients of many kinds ask: chats, streams, conversations, embeddings, feedback, and what cannot be answered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from time import perf_counter

import msgspec

from gateway.bench.overhead.prompts import Prompts
from gateway.transport import Client, Origin, TransportError

TENANTS = {"default": "pc-soak", **{f"tenant-{number}": f"pc-soak-{number}" for number in range(1, 3)}}
"""Keys by tenant."""

_SHARES = (6, 3, 1)

USERS = 200
"""End users of each tenant who give feedback."""

ANSWER_LIMIT = 10_000_000

_CHAT = b"/v1/chat/completions"
_KINDS = {"plain": 50, "conversation": 12, "streaming": 18, "embeddings": 10, "broken": 4, "unknown": 3, "stranger": 3}
_RATED = 0.6
"""Share of plain answers, and of a conversation's, that are rated."""


class Traffic:
    """One client: asks again and again, in the tenants' names, and notes what came of it.

    ``outcomes`` count what was asked and the status that answered, ``took`` are seconds, emptied by who reads them.
    Whoever rates an answer has company of so many ``raters`` in all.
    """

    def __init__(self, *, client: Client, origin: Origin, seed: int) -> None:
        self._client = client
        self._origin = origin
        self._chance = random.Random(f"soak/{seed}")
        self._prompts = Prompts(seed=seed << 24)
        self._asked = 0
        self.raters = 1
        self.outcomes: Counter[str] = Counter()
        self.took: list[float] = []

    async def one(self) -> int:
        """One request, or a conversation's or a rated answer's few; how many."""
        before = self.outcomes.total()
        (kind,) = self._chance.choices(list(_KINDS), list(_KINDS.values()))
        ask: Callable[[str], Awaitable[None]] = getattr(self, f"_{kind}")
        (tenant,) = self._chance.choices(list(TENANTS), _SHARES)
        await ask(tenant)
        return self.outcomes.total() - before

    async def _plain(self, tenant: str) -> None:
        await self._rate(tenant, await self._chat(tenant, "plain", [self._user()]))

    async def _conversation(self, tenant: str) -> None:
        messages = [self._user()]
        for _ in range(4):
            await self._rate(tenant, await self._chat(tenant, "conversation", messages))
            messages += [{"role": "assistant", "content": "Take the second plan."}, self._user()]

    async def _rate(self, tenant: str, name: str | None) -> None:
        if name and self._chance.random() < _RATED:
            users = self._chance.sample(range(USERS), self.raters)
            told = [{"completion_id": name, "score": self._chance.random(), "source": f"user-{u}"} for u in users]
            await self._post(TENANTS[tenant], "feedback", b"/v1/feedback", msgspec.json.encode(told))

    async def _streaming(self, tenant: str) -> None:
        await self._chat(tenant, "streaming", [self._user()], stream=True)

    async def _embeddings(self, tenant: str) -> None:
        body = msgspec.json.encode({"model": "auto", "input": self._user()["content"]})
        await self._post(TENANTS[tenant], "embeddings", b"/v1/embeddings", body)

    async def _broken(self, tenant: str) -> None:
        await self._post(TENANTS[tenant], "broken", _CHAT, b'{"messages": "none"}')

    async def _unknown(self, tenant: str) -> None:
        await self._chat(tenant, "unknown", [self._user()], model=f"nobody-{self._asked}")

    async def _stranger(self, tenant: str) -> None:
        await self._post(f"pc-nobody-{self._asked}", "stranger", _CHAT, b"{}")

    def _user(self) -> dict[str, str]:
        self._asked += 1
        return {"role": "user", "content": self._prompts.text(self._asked)}

    async def _chat(
        self, tenant: str, kind: str, messages: list[dict[str, str]], *, model: str = "auto", stream: bool = False
    ) -> str | None:
        """The answer's id, where it has one at its beginning."""
        body = msgspec.json.encode({"model": model, "stream": stream, "messages": messages})
        data = await self._post(TENANTS[tenant], kind, _CHAT, body)
        return data[7:48].decode() if data.startswith(b'{"id":"chatcmpl-') else None

    async def _post(self, key: str, kind: str, target: bytes, body: bytes) -> bytes:
        headers = [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")]
        began = perf_counter()
        try:
            answer = await self._client.request(b"POST", self._origin, target, headers, body)
            data = await answer.read(limit=ANSWER_LIMIT)
        except TransportError as error:
            self.outcomes[f"{kind} {type(error).__name__}"] += 1
            return b""
        self.took.append(perf_counter() - began)
        self.outcomes[f"{kind} {answer.status}"] += 1
        return data
