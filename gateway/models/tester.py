"""A real call of one model, small and bounded, so that an admin sees whether its card is right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from gateway.asking import Asker, Opened
from gateway.errors import GatewayError, Unprocessable
from gateway.providers.adapter import Providers
from gateway.registry import Model
from gateway.request import Reading, read_chat, read_embeddings
from gateway.transport import Client

#: Longest that a call may take, in seconds, and how many may be under way at once.
PATIENCE_S, AT_ONCE = 30.0, 4

#: How much of an answer is read, in bytes, and shown, in characters.
ANSWER_LIMIT, LENGTH = 1_000_000, 200

#: What models do that can be tested.
TESTABLE = ("chat", "embeddings")

_TEXT = "Say that you are ready."


class Tested(msgspec.Struct):
    """What came of it. ``latency_s`` is the time to the answer's end or the failure; ``answer`` is its beginning."""

    ok: bool
    latency_s: float
    answer: str | None = None
    error: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []


class Tester:
    """Calls models past routing: nothing is logged or learned, and no client is concerned."""

    def __init__(self, *, asker: Asker, clock: Callable[[], float] = time.perf_counter) -> None:
        self._asker = asker
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    @classmethod
    def over(cls, client: Client) -> Tester:
        """One that calls over these connections, or through providers' own."""
        return cls(asker=Asker(client=client, providers=Providers(), answer_limit=ANSWER_LIMIT))

    async def test(self, model: Model) -> Tested:
        """Ask it, wherever it stands. Raises :class:`Unprocessable` for what is neither chat nor embeddings."""
        reading, body = _question(model)
        async with self._turns:
            begun = self._clock()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    opened = await self._asker.ask(model, reading, body)
            except TimeoutError:
                return Tested(False, self._clock() - begun, error=f"It did not answer within {PATIENCE_S:.0f} s.")
            except GatewayError as error:
                return Tested(False, self._clock() - begun, error=error.message)
            return Tested(True, self._clock() - begun, answer=model.discreet(_said(opened))[:LENGTH])


def _question(model: Model) -> tuple[Reading, bytes]:
    match model.card.endpoint:
        case "chat":
            asked = {"model": model.id, "messages": [{"role": "user", "content": _TEXT}], "max_tokens": 16}
            body = msgspec.json.encode(asked)
            return read_chat(body), body
        case "embeddings":
            body = msgspec.json.encode({"model": model.id, "input": _TEXT})
            return read_embeddings(body), body
        case other:
            raise Unprocessable(f"Models for {other} cannot be tested by a call; chat and embeddings can.")


def _said(opened: Opened) -> str:
    """An answer's text; of vectors, nothing."""
    try:
        choices = msgspec.json.decode(opened.data, type=_Completion).choices
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return (choices[0].message.content or "") if choices else ""
