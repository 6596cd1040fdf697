"""A response whose body is still coming in, or already there."""

import asyncio
from collections.abc import AsyncIterator
from copy import copy
from types import TracebackType
from typing import NoReturn, Protocol, Self

from gateway.transport.errors import BodyTooLarge, Closed, TransportError


class Source(Protocol):
    """The connection a body comes from, as its response sees it."""

    def resume(self) -> None:
        """The reader has room again."""

    def close(self, error: TransportError | None = None) -> None:
        """Give the exchange up."""


class Response:
    """An upstream's answer: `status`, `headers` (names in lower case, in order), and a body to read once.

    A response read to its end gives its connection back by itself. One that is left unfinished must be
    closed (`async with`, or `aclose`), which closes its connection. For one reader at a time.
    """

    __slots__ = ("_buffer", "_error", "_finished", "_source", "_waiter", "buffered", "headers", "status")

    def __init__(self, *, source: Source) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.buffered = 0
        self._source: Source | None = source
        self._buffer: list[bytes] = []
        self._finished = False
        self._error: TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    async def read(self, *, limit: int) -> bytes:
        """The rest of the body in one piece. Above `limit` bytes it closes and raises BodyTooLarge."""
        declared = self.header(b"content-length")
        if declared and self._source is not None and int(declared) > limit:
            self._refuse(limit)
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > limit:
                self._refuse(limit)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes: each item is all that arrived since the last, never empty.

        Reading slowly slows the upstream down: little more than the connection's buffer is held here.
        """
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._buffer:
            if self._error is not None:
                raise self._ended()
            if self._finished:
                raise StopAsyncIteration
            await self.changed()
        data = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
        self._buffer.clear()
        self.buffered = 0
        if self._source is not None:
            self._source.resume()
        return data

    async def aclose(self) -> None:
        """Drop what was not read; an unfinished response closes its connection."""
        self.close()

    def close(self) -> None:
        """What `aclose` does, for where nothing can be awaited."""
        self._buffer.clear()
        if self._source is not None:
            self._source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _ended(self) -> TransportError:
        """What ended the exchange early. A twin is kept: a traceback would hold the reader, and so what was sent."""
        error, self._error = self._error, copy(self._error)
        assert error is not None
        return error

    def _refuse(self, limit: int) -> NoReturn:
        self.close()
        raise BodyTooLarge(f"the response body passes {limit} bytes")

    # The connection's side.

    async def started(self) -> None:
        """Wait for the head. Raises what ended the exchange before it came."""
        while not self.status:
            if self._error is not None:
                raise self._ended()
            await self.changed()

    async def changed(self) -> None:
        """Wait for the next news. A reader that is cancelled here gives the exchange up."""
        if self._waiter is not None:
            raise RuntimeError("a response can be read by one task at a time")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def receive(self, data: bytes) -> None:
        """Hold a piece of the body for the reader."""
        self._buffer.append(data)
        self.buffered += len(data)

    def notify(self) -> None:
        """Wake the reader, if it waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def finish(self) -> None:
        """The body is whole and the connection is needed no more."""
        self._finished = True
        self._source = None
        self.notify()

    def fail(self, error: TransportError | None) -> None:
        """The exchange ended early; the reader gets what came before, then the error."""
        self._error = error or Closed("this response was closed before it was read to its end")
        self._source = None
        self.notify()
