"""Clients that ask without a pause, each with its own patience, and remember what became of every request."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from time import monotonic

import httpx
import msgspec

WORDS = ("river", "bridge", "ledger", "music", "garden", "engine", "letter", "winter", "market", "window", "harbour")

STREAMED = 0.25
"""Share of the requests that ask for a stream."""


class Tally(msgspec.Struct, kw_only=True):
    """What became of the requests. ``broken`` are streams that ended with an error event after their first byte."""

    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    waits_s: list[float] = []

    @property
    def asked(self) -> int:
        """All requests."""
        return self.outcomes.total()

    @property
    def success(self) -> float:
        """Share that was answered, among those that did not break off in the middle of a stream."""
        return self.outcomes["answered"] / max(1, self.asked - self.outcomes["broken"])


async def ask(client: httpx.AsyncClient, chance: random.Random, tally: Tally) -> None:
    """One request."""
    stream = chance.random() < STREAMED
    prompt = " ".join(chance.choices(WORDS, k=12))
    body = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": prompt}]}
    began = monotonic()
    try:
        answer = await client.post("/v1/chat/completions", json=body)
        outcome = _outcome(answer, stream=stream)
    except httpx.TimeoutException:
        outcome = "timed out"
    except httpx.HTTPError as error:
        outcome = type(error).__name__
    tally.outcomes[outcome] += 1
    tally.waits_s.append(monotonic() - began)


def _outcome(answer: httpx.Response, *, stream: bool) -> str:
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    if not stream:
        return "answered" if "All is well." in answer.text else "wrong answer"
    if answer.text.endswith("data: [DONE]\n\n"):
        return "answered"
    return "broken" if '"error"' in answer.text else "cut"


async def crowd(*, url: str, key: str, clients: int, seconds: float, patience_s: float, seed: int) -> Tally:
    """``clients`` at once for ``seconds``."""
    tally, until = Tally(), monotonic() + seconds
    headers = {"authorization": f"Bearer {key}"}

    async def one(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=patience_s, limits=limits) as client:
            while monotonic() < until:
                await ask(client, chance, tally)

    await asyncio.gather(*map(one, range(clients)))
    return tally
