"""What a client asks for: the request's body, checked."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.errors import BadRequest
from gateway.specialists.protocol import Message, Parameters

Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Choices = Annotated[int, msgspec.Meta(ge=1, le=8)]
Messages = Annotated[list[Message], msgspec.Meta(min_length=1, max_length=1000)]


class StreamOptions(msgspec.Struct, frozen=True):
    """How a stream is to end."""

    include_usage: bool | None = None


class Ask(msgspec.Struct, frozen=True):
    """The fields of a chat completion request that a specialist reads; others are ignored."""

    model: str
    messages: Messages
    n: Choices | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], msgspec.Meta(max_length=4)] | None = None
    response_format: dict[str, Any] | None = None

    @property
    def choices(self) -> int:
        """How many answers are wanted."""
        return self.n or 1

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the tokens it took."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def parameters(self, choice: int) -> Parameters:
        """The parameters of answer number ``choice``; each choice draws from a seed of its own."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Parameters(
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            seed=None if self.seed is None else (self.seed + choice) % 2**32,
            stop=tuple(stop),
            response_format=self.response_format,
        )


_DECODER = msgspec.json.Decoder(Ask)


def parse(body: bytes) -> Ask:
    """Read a request's body. Raises :class:`BadRequest` naming the faulty field."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or None
        raise BadRequest(f"{field}: {problem}" if field else problem, param=field) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
