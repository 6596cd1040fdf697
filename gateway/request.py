"""Reading a request: only the fields that routing needs; every other byte passes through."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.decoding import decode
from gateway.errors import BadRequest

#: Characters of a conversation that are looked at for routing.
TEXT_LIMIT = 8_000

#: A last message shorter than this says too little alone ("commit it"): earlier ones are read with it.
SHORT_MESSAGE = 120

#: Characters at each end that a long text is known by.
ENDS = 2_000

#: The fields that say how long an answer may be: servers heed one or the other.
LONGEST = ("max_tokens", "max_completion_tokens")

#: Characters a token takes, on the safe side for English, to judge whether a prompt fits a window.
CHARACTERS_PER_TOKEN = 3.5


class Part(msgspec.Struct):
    """A content part; images and audio are told by their type alone."""

    type: str = "text"
    text: str | None = None


class Message(msgspec.Struct):
    """A chat message."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: list[msgspec.Raw] | None = None

    def text(self) -> str:
        """Its text, parts joined."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if part.text)


class ResponseFormat(msgspec.Struct):
    """What shape the answer should have."""

    type: str = "text"


class ChatRequest(msgspec.Struct):
    """``POST /v1/chat/completions``, as far as it is read."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    model: str = "auto"
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    tools: list[msgspec.Raw] | None = None
    response_format: ResponseFormat | None = None


class EmbeddingsRequest(msgspec.Struct):
    """``POST /v1/embeddings``, as far as it is read."""

    input: str | list[Any]
    model: str = "auto"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What routing knows of a request. ``tokens`` is an estimate of prompt plus answer, ``prompt_tokens`` of the
    prompt alone.

    ``system`` is a hash of the system prompt, ``opening`` of that and the first user message, 0 where nothing can
    follow; ``answered`` is whether an answer has been given in the conversation. Hashes hold in this process alone.
    ``choices`` is how many answers are wanted.
    """

    model: str
    endpoint: str
    text: str
    turns: int
    tokens: int
    bounded: bool
    stream: bool = False
    tools: bool = False
    json_mode: bool = False
    images: bool = False
    audio: bool = False
    prompt_tokens: int = 0
    system: int = 0
    opening: int = 0
    answered: bool = False
    choices: int = 1


_chat = msgspec.json.Decoder(ChatRequest)
_embeddings = msgspec.json.Decoder(EmbeddingsRequest)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = msgspec.Raw(b"null")


def read_chat(body: bytes) -> Reading:
    """Read a chat request. Raises :class:`BadRequest` naming the faulty field."""
    request: ChatRequest = decode(_chat, body)
    asked = _longest(request.max_tokens, request.max_completion_tokens)
    kinds = {part.type for message in request.messages if isinstance(message.content, list) for part in message.content}
    size = sum(len(message.text()) + _size(message.tool_calls) for message in request.messages) + _size(request.tools)
    prompt = int(size / CHARACTERS_PER_TOKEN)
    form = request.response_format
    system, opening = _beginning(request.messages)
    return Reading(
        model=request.model,
        endpoint="chat",
        text=routing_text(request.messages),
        turns=sum(message.role == "user" for message in request.messages),
        tokens=prompt + asked,
        stream=bool(request.stream),
        tools=bool(request.tools),
        json_mode=form is not None and form.type != "text",
        images=any(kind in ("image_url", "input_image", "image") for kind in kinds),
        audio="input_audio" in kinds,
        bounded=asked > 0,
        prompt_tokens=prompt,
        system=system,
        opening=opening,
        answered=any(message.role == "assistant" for message in request.messages),
        choices=max(request.n or 1, 1),
    )


def read_embeddings(body: bytes) -> Reading:
    """Read an embeddings request: a text, texts, or tokens. Raises :class:`BadRequest`."""
    request: EmbeddingsRequest = decode(_embeddings, body)
    texts = [request.input] if isinstance(request.input, str) else [t for t in request.input if isinstance(t, str)]
    if not request.input:
        raise BadRequest("input must not be empty.", param="input")
    return Reading(
        model=request.model,
        endpoint="embeddings",
        text=(texts[0] if texts else "")[:TEXT_LIMIT],
        turns=1,
        tokens=int(max(map(len, texts), default=0) / CHARACTERS_PER_TOKEN),
        bounded=True,
    )


def _size(parts: list[msgspec.Raw] | None) -> int:
    """Bytes of JSON that a model reads beside the texts."""
    return sum(map(len, parts)) if parts else 0


def _longest(*asked: int | None) -> int:
    """The longest answer that a server may give, whichever field it heeds; 0 where it may be of any length."""
    given = [each for each in asked if each is not None]
    return max(given) if given and min(given) > 0 else 0


def routing_text(messages: list[Message]) -> str:
    """What the request is about: the last user message, and while that is short, the user messages before it."""
    found: list[str] = []
    size = 0
    for message in reversed(messages):
        if message.role == "user" and (text := message.text()):
            found.append(text)
            size += len(text)
            if size >= SHORT_MESSAGE:
                break
    if not found:
        found = [messages[-1].text()]
    text = "\n".join(found)
    half = TEXT_LIMIT // 2
    return text if len(text) <= TEXT_LIMIT else f"{text[:half]}\n{text[-half:]}"


def _beginning(messages: list[Message]) -> tuple[int, int]:
    """Hashes of the system prompt, and of that and the first user message."""
    system, first = [], ""
    for message in messages:
        if message.role == "user":
            first = _ends(message.text())
            break
        system.append(_ends(message.text()))
    prompt = tuple(system)
    return hash(prompt), hash((prompt, first))


def _ends(text: str) -> str:
    """Enough of a text to know it by, however long it is."""
    return text if len(text) <= 2 * ENDS else f"{text[:ENDS]}{len(text)}{text[-ENDS:]}"


def with_model(body: bytes, name: str) -> bytes:
    """The same body for another model; every other value keeps its bytes. Raises :class:`BadRequest`."""
    fields = decode(_fields, body)
    fields["model"] = msgspec.Raw(msgspec.json.encode(name))
    return msgspec.json.encode(fields)


def with_longest(body: bytes, tokens: int) -> bytes:
    """The same chat request for an answer of at most so many tokens. Raises :class:`BadRequest`."""
    fields = decode(_fields, body)
    said = [name for name in LONGEST if bytes(fields.get(name, _NULL)) != b"null"] or LONGEST[:1]
    return msgspec.json.encode({**fields, **dict.fromkeys(said, tokens)})
