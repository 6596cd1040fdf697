"""An OpenAI upstream that answers at once, so that what is measured is the gateway: a bare protocol, no framework.

Run as ``python -m gateway.bench.overhead.mock PORT``; it also stands where a gateway would for ``direct``.
"""

from __future__ import annotations

import asyncio
import sys
from functools import lru_cache
from typing import cast

import httptools
import msgspec

SENTENCE = "Take the second plan: it needs less time, it can be undone, and it leaves room for what you forgot. "
ANSWER = (SENTENCE * 8).strip()
"""The content of every answer; with its envelope about 1 KB."""

EVENTS = 16
PAUSE_S = 0.001


class Question(msgspec.Struct):
    """What the mock reads of a request."""

    model: str = "mock"
    stream: bool = False


def _response(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


@lru_cache(maxsize=256)
def completion(model: str) -> bytes:
    """A whole HTTP response with a chat completion by ``model``."""
    document = {
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 64, "completion_tokens": 176, "total_tokens": 240},
        "system_fingerprint": "fp_mock",
    }
    return _response(msgspec.json.encode(document))


@lru_cache(maxsize=256)
def events(model: str) -> tuple[bytes, ...]:
    """The HTTP chunks of a streamed completion by ``model``, the response's head with the first."""
    step = -(-len(ANSWER) // EVENTS)
    deltas: list[dict[str, str]] = [{"content": ANSWER[at : at + step]} for at in range(0, len(ANSWER), step)]
    deltas[0]["role"] = "assistant"
    choices: list[dict[str, object]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    base = {"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    datas = [msgspec.json.encode(base | {"choices": [choice]}) for choice in choices]
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in (b"data: " + data + b"\n\n" for data in datas)]
    chunks[0] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunks[0]
    chunks[-1] += b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    return tuple(chunks)


class Mock(asyncio.Protocol):
    """One connection. Requests are answered one after the other; clients are taken not to pipeline."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a stream in progress end."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Parse what came; what is not HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self._transport is not None:
                self._transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """A part of its body is there."""
        self._body += body

    def on_message_complete(self) -> None:
        """The request is whole: answer it, with an empty list whatever is no question."""
        if self._parser.get_method() != b"POST":
            self._write(_response(b'{"object":"list","data":[]}'))
            return
        question = msgspec.json.decode(self._body, type=Question)
        if question.stream:
            self._stream(events(question.model), 0)
        else:
            self._write(completion(question.model))

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _stream(self, chunks: tuple[bytes, ...], at: int) -> None:
        """Send the first event at once and the others at a steady pace, unless the client has gone."""
        self._write(chunks[at])
        if at + 1 < len(chunks) and self._transport is not None:
            asyncio.get_running_loop().call_later(PAUSE_S, self._stream, chunks, at + 1)


async def serve(port: int) -> asyncio.Server:
    """Listen on loopback; port 0 takes a free one."""
    return await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port, backlog=512)


async def _forever(port: int) -> None:
    await (await serve(port)).serve_forever()


def main() -> None:
    """Serve until terminated."""
    import uvloop

    uvloop.run(_forever(int(sys.argv[1])))


if __name__ == "__main__":
    main()
