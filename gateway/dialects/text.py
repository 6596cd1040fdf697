"""OpenAI's legacy text completions: the prompt becomes one message, the answer's message becomes text."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from gateway.decoding import decode
from gateway.dialects.dialect import Chat, heard
from gateway.errors import BadRequest, GatewayError
from gateway.relay import event
from gateway.request import Reading, read_chat

#: What passes on as it is.
_KEPT = (
    *("max_tokens", "temperature", "top_p", "n", "stream", "stream_options", "stop", "seed", "user"),
    *("presence_penalty", "frequency_penalty", "logit_bias"),
)

#: What a chat model cannot do, and the values that ask for nothing.
_BEYOND: dict[str, tuple[Any, ...]] = {
    "suffix": (None, ""),
    "logprobs": (None, 0),
    "echo": (None, False),
    "best_of": (None, 1),
}

_fields = msgspec.json.Decoder(dict[str, Any])


class TextInquiry(NamedTuple):
    """See :class:`gateway.dialects.dialect.Inquiry`."""

    reading: Reading
    body: bytes

    def answer(self, data: bytes, name: str) -> bytes:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        return msgspec.json.encode(_document(heard(data), name))

    def speech(self, name: str) -> TextSpeech:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        return TextSpeech(name=name)


class TextSpeech:
    """See :class:`gateway.dialects.dialect.Speech`."""

    def __init__(self, *, name: str) -> None:
        self._name = name

    def said(self, _: bytes, data: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        return event(msgspec.json.encode(_document(heard(data), self._name))) if data else b""

    def done(self, event: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        return event or b"data: [DONE]\n\n"


class Text:
    """See :class:`gateway.dialects.dialect.Dialect`."""

    prefix = "cmpl-"

    def read(self, body: bytes) -> TextInquiry:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        fields = decode(_fields, body)
        for name, idle in _BEYOND.items():
            if fields.get(name) not in idle:
                raise BadRequest(f"{name} is not possible here: a chat model answers the prompt.", param=name)
        chat = {name: value for name, value in fields.items() if name in _KEPT}
        chat["model"] = fields.get("model", "auto")
        chat["messages"] = [{"role": "user", "content": _prompt(fields.get("prompt"))}]
        sent = msgspec.json.encode(chat)
        return TextInquiry(read_chat(sent), sent)

    def error(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return error.body()

    def broken(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return event(error.body())


def _prompt(given: object) -> str:
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if not isinstance(given, str):
        raise BadRequest("prompt must be one text: send several prompts as several requests.", param="prompt")
    return given


def _document(chat: Chat, name: str) -> dict[str, Any]:
    said = [(option, option.message or option.delta) for option in chat.choices]
    choices = [
        {
            "text": words.text() if words is not None else "",
            "index": option.index,
            "logprobs": None,
            "finish_reason": option.finish_reason,
        }
        for option, words in said
    ]
    document = {"id": name, "object": "text_completion", "created": chat.created, "model": chat.model}
    usage = chat.usage
    if usage is None:
        return {**document, "choices": choices}
    counted = {"prompt_tokens": usage.read, "completion_tokens": usage.written}
    return {**document, "choices": choices, "usage": {**counted, "total_tokens": sum(counted.values())}}
