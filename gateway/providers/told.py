"""What a provider said, as an upstream's response reads: a status, headers, a body whole or in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from gateway.transport import BodyTooLarge, TransportError

JSON, EVENTS = b"application/json", b"text/event-stream"


class Told:
    """Has the face of :class:`gateway.transport.Response`; ``pieces`` is the body as it comes."""

    def __init__(self, *, status: int, kind: bytes, pieces: AsyncIterator[bytes], retry_after: str = "") -> None:
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
        return self._pieces

    def close(self) -> None:
        """Nothing is held that the provider's client does not let go of by itself."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


async def whole(data: bytes) -> AsyncIterator[bytes]:
    """A body that is there already."""
    yield data


async def streamed(answer: Any) -> AsyncIterator[bytes]:
    """A provider's stream as server-sent events. Raises :class:`TransportError` where it breaks off."""
    try:
        async for chunk in answer:
            yield b"data: " + chunk.model_dump_json(exclude_none=True).encode() + b"\n\n"
    except Exception as error:  # whatever a provider's client raises, the stream has broken off
        raise TransportError(f"the provider's stream broke off: {type(error).__name__}") from error
    yield b"data: [DONE]\n\n"
