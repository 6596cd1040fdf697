"""What a provider said, as an upstream's response reads: a status, headers, a body whole or in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Protocol, Self

from gateway.relay import DONE, event
from gateway.transport import BodyTooLarge, ReadTimeout, TransportError

JSON, EVENTS = b"application/json", b"text/event-stream"


class Pieces(Protocol):
    """A body as it comes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its pieces."""

    async def aclose(self) -> None:
        """Give up what has not come yet."""


class Told:
    """Has the face of :class:`gateway.transport.Response`; ``pieces`` is the body as it comes."""

    def __init__(self, *, status: int, kind: bytes, pieces: Pieces, retry_after: str = "") -> None:
        self.status = status
        self._headers = {b"content-type": kind, b"retry-after": retry_after.encode()}
        self._pieces = pieces

    def header(self, name: bytes) -> bytes | None:
        """A header by its lower-case name."""
        return self._headers.get(name) or None

    async def read(self, *, limit: int) -> bytes:
        """The rest of the body in one piece. Raises :class:`BodyTooLarge` above ``limit`` bytes."""
        data = b"".join([piece async for piece in self._pieces])
        if len(data) > limit:
            raise BodyTooLarge(f"the response body passes {limit} bytes")
        return data

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return aiter(self._pieces)

    def close(self) -> None:
        """Nothing can be awaited here: a stream that is still open ends with its provider's time-outs."""

    async def aclose(self) -> None:
        """Give up what has not come yet."""
        await self._pieces.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Whole:
    """A body that is there already."""

    def __init__(self, *, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data

    async def aclose(self) -> None:
        """See :class:`Pieces`."""


class Streamed:
    """A provider's stream as server-sent events; ``first`` has come already, nothing of it lasts past ``give_up_at``.

    ``idle_s`` is the longest silence between two of its chunks; times are the event loop's.
    """

    def __init__(self, *, answer: Any, first: Any, idle_s: float, give_up_at: float) -> None:
        self._answer = answer
        self._next = first
        self._idle_s = idle_s
        self._give_up_at = give_up_at
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next event. Raises :class:`TransportError` where the stream breaks off."""
        if self._ended:
            raise StopAsyncIteration
        chunk, self._next = self._next or await self._heard(), None
        if chunk is None:
            self._ended = True
            return event(DONE)
        return event(chunk.model_dump_json(exclude_none=True).encode())

    async def aclose(self) -> None:
        """See :class:`Pieces`."""
        await self._answer.aclose()

    async def _heard(self) -> Any:
        patience_at = asyncio.get_running_loop().time() + self._idle_s
        try:
            async with asyncio.timeout_at(min(patience_at, self._give_up_at)):
                return await anext(self._answer, None)
        except TimeoutError as error:
            raise ReadTimeout("the provider fell silent in the middle of its answer") from error
        except Exception as error:  # whatever a provider's client raises, the stream has broken off
            raise TransportError(f"the provider's stream broke off: {type(error).__name__}") from error
