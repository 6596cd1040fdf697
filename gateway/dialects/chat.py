"""OpenAI's chat completions and embeddings: bytes pass through untouched, but for ``id``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.relay import event, renamed, retitled
from gateway.request import Reading


class Untouched(NamedTuple):
    """A request that is sent on as it came."""

    reading: Reading
    body: bytes

    def answer(self, data: bytes, name: str) -> bytes:
        """See :class:`gateway.dialects.dialect.Inquiry`; embeddings have no id."""
        return renamed(data, name.encode()) if self.reading.endpoint == "chat" else data

    def speech(self, name: str) -> Relayed:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        return Relayed(name=name)


class Relayed:
    """A stream that is passed on event by event."""

    def __init__(self, *, name: str) -> None:
        self._name = name.encode()

    def said(self, event: bytes, data: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        return retitled(event, data, self._name) if data else event

    def done(self, event: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        return event


class Plain:
    """OpenAI's own shape; ``read`` tells which of its endpoints."""

    prefix = "chatcmpl-"

    def __init__(self, *, read: Callable[[bytes], Reading]) -> None:
        self._read = read

    def read(self, body: bytes) -> Untouched:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return Untouched(self._read(body), body)

    def error(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return error.body()

    def broken(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return event(error.body())
