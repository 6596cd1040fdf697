"""What a specialist is, and the part of OpenAI's chat completions protocol that it needs to see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import msgspec

from gateway.errors import BadRequest, ContextTooLong

FinishReason = Literal["stop", "length"]

_TOKEN = re.compile(r"\s*(?:\w{1,5}|[^\w\s])|\s+")


class Message(msgspec.Struct, frozen=True):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None

    def text(self) -> str:
        """The message's text parts, joined. Raises :class:`BadRequest` for images and other parts."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        parts = []
        for part in self.content:
            text = part.get("text")
            if part.get("type") != "text" or not isinstance(text, str):
                raise BadRequest("this model takes text only: send content parts of type 'text'", param="messages")
            parts.append(text)
        return "\n".join(parts)


class Parameters(msgspec.Struct, frozen=True):
    """How an answer is to be made; ``None`` leaves the choice to the specialist."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: dict[str, Any] | None = None


class Usage(msgspec.Struct, frozen=True):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int


class Delta(msgspec.Struct, frozen=True):
    """A piece of an answer; the last one tells why the answer ended and what it took."""

    text: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


class Specialist(Protocol):
    """A model: it answers in a worker thread, ``parallel`` conversations at a time."""

    @property
    def parallel(self) -> int:
        """How many answers may be in the making at once."""

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str | Iterator[Delta]:
        """The whole answer, or its deltas as they come; closing the iterator abandons the answer."""


def prompt_of(messages: Sequence[Message], *, limit: int | None = None) -> str:
    """The last user message's text. Raises :class:`BadRequest` without one, :class:`ContextTooLong` past ``limit``."""
    for message in reversed(messages):
        if message.role == "user":
            text = message.text()
            if limit is not None and len(text) > limit:
                raise ContextTooLong(f"this model reads at most {limit} characters: send less", param="messages")
            return text
    raise BadRequest("messages must hold a message whose role is 'user'", param="messages")


def tokens(text: str) -> list[str]:
    """``text`` cut into pieces about as long as a language model's tokens; joined, they are ``text`` again."""
    return _TOKEN.findall(text)


def deltas_of(text: str, *, messages: Sequence[Message], parameters: Parameters) -> Iterator[Delta]:
    """A whole answer as deltas, cut at the first stop sequence and at ``max_tokens``.

    Raises :class:`BadRequest` when JSON was asked for, which plain text cannot promise.
    """
    if parameters.response_format and parameters.response_format.get("type") != "text":
        raise BadRequest("this model answers in plain text only: leave response_format out", param="response_format")
    ends = [at for sequence in parameters.stop if sequence and (at := text.find(sequence)) >= 0]
    pieces = tokens(text[: min(ends)] if ends else text)
    kept = pieces[: parameters.max_tokens]
    for piece in kept:
        yield Delta(text=piece)
    read = sum(len(tokens(message.text())) for message in messages)
    yield Delta(
        finish_reason="length" if len(kept) < len(pieces) else "stop",
        usage=Usage(prompt_tokens=read, completion_tokens=len(kept)),
    )
