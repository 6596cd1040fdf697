"""The models' server: answers at once, embeds, and now and then says that it cannot chat."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import msgspec

from gateway.bench.overhead.mock import Mock

EVERY = 50
"""One chat in so many is answered by an error: another model answers then."""

_TURNS = count(1)
_VECTOR = msgspec.json.encode([round(0.01 * place, 2) for place in range(256)])


class Asked(msgspec.Struct):
    """What is read of a request to see of what kind it is."""

    input: Any = None


def response(status: str, body: bytes) -> bytes:
    """A whole HTTP response."""
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


FAILED = response("500 Internal Server Error", b'{"error":{"message":"Out of memory.","type":"server_error"}}')
EMBEDDED = response(
    "200 OK",
    b'{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":%b}],'
    b'"usage":{"prompt_tokens":64,"total_tokens":64}}' % _VECTOR,
)


class Upstream(Mock):
    """One connection."""

    def on_message_complete(self) -> None:
        """The request is whole: answer it."""
        if not self._body:
            super().on_message_complete()
        elif msgspec.json.decode(self._body, type=Asked).input is not None:
            self._write(EMBEDDED)
        elif next(_TURNS) % EVERY == 0:
            self._write(FAILED)
        else:
            super().on_message_complete()


async def serve() -> asyncio.Server:
    """Listen on a free port of the loopback interface."""
    return await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=512)
