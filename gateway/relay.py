"""Passing answers on: bytes untouched but for one field, ``id``, which is made from the decision's id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.config.cards import MOST_TOKENS
from gateway.errors import UpstreamFailed

#: Longest single event of a stream, in bytes.
EVENT_LIMIT = 8_000_000

DONE = b"[DONE]"

_LEADING_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"[^"\\]*"')
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ToolFunction(msgspec.Struct):
    """A function that the model wants called."""

    arguments: str | dict[str, Any] | None = None


class ToolCall(msgspec.Struct):
    """One tool call; a stream's pieces tell theirs apart by ``index``."""

    index: int | None = None
    function: ToolFunction | None = None


class Spoken(msgspec.Struct):
    """A message, or a stream's piece of one."""

    content: str | list[Any] | None = None
    tool_calls: list[ToolCall] | None = None
    refusal: str | None = None


class Option(msgspec.Struct):
    """One of an answer's choices."""

    index: int | None = None
    message: Spoken | None = None
    delta: Spoken | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    """Tokens, as the upstream counted them."""

    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    prompt_tokens_details: Any = None

    @property
    def counted(self) -> tuple[int, int, int] | None:
        """Tokens read, those of them that the server had read before, and tokens written; ``None`` where it does not
        say, or what nobody can believe.
        """
        details = self.prompt_tokens_details
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        told = (self.prompt_tokens, cached if isinstance(cached, int | float) else 0, self.completion_tokens or 0)
        if self.prompt_tokens is None or max(each or 0 for each in told) > MOST_TOKENS:
            return None
        read, again, written = (max(0, int(each or 0)) for each in told)
        return read, min(again, read), written


class Body(msgspec.Struct):
    """What is read of an answer, or of a stream's event."""

    choices: list[Option] | None = None
    usage: Usage | None = None
    error: Any = None


_body = msgspec.json.Decoder(Body)


def read_body(data: bytes) -> Body:
    """What is read of an answer. Raises :class:`UpstreamFailed` when it is not an answer at all."""
    try:
        return _body.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(f"The upstream's answer could not be read: {error}.") from error


def renamed(data: bytes, name: bytes) -> bytes:
    """The JSON object with ``id`` set to ``name``. Raises :class:`UpstreamFailed` when it is no object."""
    leading = _LEADING_ID.match(data)
    if leading is not None:
        return b'{"id":"' + name + b'"' + data[leading.end() :]
    try:
        fields = _fields.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(f"The upstream's answer is not a JSON object: {error}.") from error
    fields.pop("id", None)
    return msgspec.json.encode({"id": msgspec.Raw(b'"' + name + b'"'), **fields})


class EventSplitter:
    """Cuts a server-sent event stream into whole events, however its bytes arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that end in this chunk, each with its blank line. Raises :class:`UpstreamFailed`."""
        data = self._rest + chunk if self._rest else chunk
        start = 0
        for end in _EVENT_END.finditer(data):
            yield data[start : end.end()]
            start = end.end()
        self._rest = data[start:]
        if len(self._rest) > EVENT_LIMIT:
            raise UpstreamFailed("The upstream sent an event without an end.")

    def end(self) -> bytes:
        """What is left when the stream ends: an event without its blank line, or nothing."""
        return self._rest


def payload(event: bytes) -> bytes:
    """An event's data, its lines joined (WHATWG HTML, server-sent events)."""
    if event.startswith(b"data: ") and event.count(b"\n") <= 2 and b"\r" not in event:
        return event[6:].rstrip(b"\n") if b"\ndata:" not in event else _joined(event)
    return _joined(event)


def _joined(event: bytes) -> bytes:
    lines = (line for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def retitled(event: bytes, data: bytes, name: bytes) -> bytes:
    """The event around ``data`` with ``id`` set to ``name`` in it; its other lines and its line ends stay."""
    changed = renamed(data, name)
    before, found, after = event.partition(data)
    if found:
        return before + changed + after
    lines = event.splitlines(keepends=True)  # the data stands on several lines: it moves to the first of them
    first = next(place for place, line in enumerate(lines) if line.startswith(b"data:"))
    ending = lines[first][len(lines[first].rstrip(b"\r\n")) :]
    lines[first] = b"data: " + changed.replace(b"\n", b" ") + ending
    return b"".join(line for place, line in enumerate(lines) if place <= first or not line.startswith(b"data:"))


def event(data: bytes) -> bytes:
    """One event around one line of data."""
    return b"data: " + data + b"\n\n"
