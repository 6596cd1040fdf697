"""What a way of speaking must be able to do, and how an answer in chat completions reads to a translator.

Every model is asked in chat completions. A dialect turns its own request into one, and the answer, whole or event by
event, back into its own. Chat completions themselves pass through untouched (:mod:`gateway.dialects.chat`).
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from gateway.config.cards import MOST_TOKENS
from gateway.errors import GatewayError, UpstreamFailed
from gateway.request import Reading


class Speech(Protocol):
    """One streamed answer under way."""

    def said(self, event: bytes, data: bytes) -> bytes:
        """What the client hears for the upstream's ``event`` around ``data``; nothing where it needs no telling.

        Raises :class:`UpstreamFailed` for an event that is not one of a chat completion's.
        """

    def done(self, event: bytes) -> bytes:
        """What ends the answer; ``event`` is the upstream's own end, empty where it sent none."""


class Inquiry(Protocol):
    """One request, read: what routing knows of it, and what its model is sent."""

    @property
    def reading(self) -> Reading:
        """What routing reads."""

    @property
    def body(self) -> bytes:
        """The request as a chat completion's."""

    def answer(self, data: bytes, name: str) -> bytes:
        """The whole answer, called ``name``. Raises :class:`UpstreamFailed` when ``data`` is no answer."""

    def speech(self, name: str) -> Speech:
        """The streamed answer, called ``name``."""


class Dialect(Protocol):
    """One API's shape. ``prefix`` begins the names of its answers, before the decision's id."""

    prefix: str

    def read(self, body: bytes) -> Inquiry:
        """Read a request. Raises :class:`gateway.errors.BadRequest` naming the faulty field."""

    def error(self, error: GatewayError) -> bytes:
        """An error's body."""

    def broken(self, error: GatewayError) -> bytes:
        """The event that tells of an error in the middle of a stream."""


class Function(msgspec.Struct):
    """A function that the model calls, or the next piece of its arguments."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None

    def text(self) -> str:
        """The arguments as JSON text; some servers send them decoded."""
        if isinstance(self.arguments, dict):
            return msgspec.json.encode(self.arguments).decode()
        return self.arguments or ""


class Call(msgspec.Struct):
    """A tool call, or a piece of one; a stream's pieces tell theirs apart by ``index``."""

    id: str | None = None
    index: int | None = None
    function: Function | None = None


class Fragment(msgspec.Struct):
    """A part of a message's content."""

    text: str | None = None


class Said(msgspec.Struct):
    """A message, or a stream's piece of one."""

    content: str | list[Fragment] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None

    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or self.refusal or ""


class Option(msgspec.Struct):
    """One of the answer's choices."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None


class Cached(msgspec.Struct):
    """How many of the prompt's tokens the server had read before."""

    cached_tokens: int | float | None = None


def _whole(count: int | float | None) -> int:
    return int(min(max(count or 0, 0), MOST_TOKENS))


class Usage(msgspec.Struct):
    """Tokens, as the upstream counted them, in whole numbers that clients can read."""

    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    prompt_tokens_details: Cached | None = None

    @property
    def read(self) -> int:
        """Tokens of the prompt."""
        return _whole(self.prompt_tokens)

    @property
    def written(self) -> int:
        """Tokens of the answer."""
        return _whole(self.completion_tokens)

    @property
    def cached(self) -> int:
        """Tokens of the prompt that came from a cache."""
        return _whole(self.prompt_tokens_details.cached_tokens) if self.prompt_tokens_details else 0


class Chat(msgspec.Struct):
    """An answer in chat completions, or one event of it."""

    choices: list[Option] = []
    usage: Usage | None = None
    model: str = ""
    created: int = 0


_chat = msgspec.json.Decoder(Chat, strict=False)


def heard(data: bytes) -> Chat:
    """The answer, or the event, that ``data`` is. Raises :class:`UpstreamFailed`."""
    try:
        return _chat.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(f"The upstream's answer could not be read: {error}.") from error


def event(kind: str, document: dict[str, Any]) -> bytes:
    """A named server-sent event whose data says its ``type`` first."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **document}))
