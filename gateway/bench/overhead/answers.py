"""Whether a response is the answer that the mock gave: a gateway that is fast but wrong fails the run."""

from __future__ import annotations

import msgspec

from gateway.bench.overhead.mock import ANSWER


class Text(msgspec.Struct):
    """A message or a delta."""

    content: str | None = None


class Choice(msgspec.Struct):
    """One choice, of a whole completion or of an event."""

    message: Text | None = None
    delta: Text | None = None


class Completion(msgspec.Struct):
    """A whole completion, or one event of a streamed one."""

    id: str
    choices: list[Choice]


class WrongAnswer(Exception):
    """A response is not what a client of the OpenAI protocol must get; the message shows its beginning."""


_decode = msgspec.json.Decoder(Completion).decode


def _whole(body: bytes) -> str | None:
    message = _decode(body).choices[0].message
    return message.content if message else None


def _streamed(body: bytes) -> str | None:
    *events, done, rest = body.replace(b"\r\n", b"\n").split(b"\n\n")
    if done != b"data: [DONE]" or rest:
        return None
    chunks = [_decode(event.removeprefix(b"data: ")) for event in events if not event.startswith(b":")]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    return "".join(delta.content or "" for delta in deltas if delta)


def check(status: int, body: bytes, *, stream: bool) -> None:
    """Raise :class:`WrongAnswer` unless the response is a 200 that carries the mock's answer."""
    beginning = body[:300].decode(errors="replace")
    if status != 200:
        raise WrongAnswer(f"status {status}: {beginning}")
    try:
        content = _streamed(body) if stream else _whole(body)
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        raise WrongAnswer(f"not a chat completion ({error}): {beginning}") from error
    if content != ANSWER:
        raise WrongAnswer(f"not the upstream's answer: {beginning}")
