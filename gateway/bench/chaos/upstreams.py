"""Model servers on loopback, each with one bad habit, and one that dies and comes back.

A seeded generator decides which requests meet the habit, so that two runs differ by timing alone.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from time import monotonic

import msgspec

RATE = 0.3
"""Share of the requests that a faulty server treats badly."""

DRIP_S = 0.02
"""Pause between two pieces of a drip."""


class Asked(msgspec.Struct):
    """What a server reads of a request."""

    model: str = ""
    stream: bool = False


Habit = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


def whole(asked: Asked) -> bytes:
    """A healthy answer."""
    if asked.stream:
        pieces = [{"role": "assistant", "content": "All "}, {"content": "is "}, {"content": "well."}]
        chunks: list[dict[str, object]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in pieces]
        chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": asked.model}
        events = [b"data: " + msgspec.json.encode({**head, "choices": [each]}) + b"\n\n" for each in chunks]
        body = b"".join([*events, b"data: [DONE]\n\n"])
        return _head("200 OK", "text/event-stream", len(body)) + body
    message = {"role": "assistant", "content": "All is well."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    told = {"id": "x", "object": "chat.completion", "created": 1, "model": asked.model}
    body = msgspec.json.encode({**told, "choices": [choice], "usage": usage})
    return _head("200 OK", "application/json", len(body)) + body


def _head(status: str, kind: str, length: int) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


async def _hang(writer: asyncio.StreamWriter, answer: bytes) -> None:
    await asyncio.sleep(60.0)


async def _reset(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.transport.abort()


async def _limit(writer: asyncio.StreamWriter, answer: bytes) -> None:
    body = b'{"error":{"message":"Slow down."}}'
    writer.write(_head("429 Too Many Requests", "application/json\r\nretry-after: 1", len(body)) + body)


async def _error(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(_head("500 Internal Server Error", "text/plain", 4) + b"Oops")


async def _garbage(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(b"\x00\xff\x13 SSH-2.0 \r\n\r\n" * 20)
    writer.close()


async def _half(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer[: len(answer) * 2 // 3])
    await writer.drain()
    writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter, answer: bytes) -> None:
    for start in range(0, len(answer), 12):
        writer.write(answer[start : start + 12])
        await writer.drain()
        await asyncio.sleep(DRIP_S)


HABITS: dict[str, Habit | None] = {
    "healthy": None,
    "hangs": _hang,
    "resets": _reset,
    "limits": _limit,
    "errors": _error,
    "garbage": _garbage,
    "halves": _half,
    "drips": _drip,
    "mortal": None,
}


class Server:
    """One model server; ``seen`` holds when completions, not probes, came, in seconds of a monotonic clock."""

    def __init__(self, *, name: str, habit: Habit | None, seed: int) -> None:
        self.name = name
        self.port = 0
        self.dead = False
        self.seen: list[float] = []
        self._habit = habit
        self._random = random.Random(f"{name}/{seed}")
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        posted = head.startswith(b"POST")
        if posted:
            self.seen.append(monotonic())
        if self.dead:
            writer.transport.abort()
        elif not posted:
            writer.write(_head("200 OK", "application/json", 2) + b"{}")
        else:
            await self._answer(writer, whole(msgspec.json.decode(body, type=Asked)))
        await writer.drain()

    async def _answer(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        if self._habit is not None and self._random.random() < RATE:
            await self._habit(writer, answer)
        else:
            writer.write(answer)


async def serving(stack: AsyncExitStack, *, seed: int) -> dict[str, Server]:
    """All servers, until the stack closes."""
    return {
        name: await stack.enter_async_context(Server(name=name, habit=habit, seed=seed))
        for name, habit in HABITS.items()
    }
