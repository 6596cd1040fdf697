"""Anthropic's Messages API: answers, streams and errors, and the dialect as a whole."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from gateway.dialects.dialect import Call, Usage, event, heard
from gateway.dialects.messages import as_chat
from gateway.errors import GatewayError, UpstreamFailed
from gateway.request import Reading, read_chat

Document = dict[str, Any]

_STOPS: Final = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}

_ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class MessagesInquiry(NamedTuple):
    """See :class:`gateway.dialects.dialect.Inquiry`."""

    reading: Reading
    body: bytes

    def answer(self, data: bytes, name: str) -> bytes:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        chat = heard(data)
        if not chat.choices or chat.choices[0].message is None:
            raise UpstreamFailed("The model answered without a message.")
        option = chat.choices[0]
        said = option.message
        assert said is not None
        content: list[Document] = [{"type": "text", "text": said.text()}] if said.text() else []
        content += [_used(call) for call in said.tool_calls or ()]
        document = _message(name, chat.model, content, _usage(chat.usage))
        return msgspec.json.encode(
            {**document, "stop_reason": _stop(option.finish_reason, called=bool(said.tool_calls))}
        )

    def speech(self, name: str) -> MessagesSpeech:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        return MessagesSpeech(name=name)


class MessagesSpeech:
    """One block of content is open at a time: words, or one tool call."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._started = False
        self._block = -1
        self._open: int | str | None = None
        self._called = False
        self._stop: str | None = None
        self._usage: Usage | None = None

    def said(self, _: bytes, data: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        if not data:
            return b""
        chat = heard(data)
        told = [] if self._started else [self._start(chat.model)]
        self._usage = chat.usage or self._usage
        for option in chat.choices[:1]:
            self._stop = option.finish_reason or self._stop
            if option.delta is None:
                continue
            if text := option.delta.text():
                told.append(self._turn("text", {"type": "text", "text": ""}))
                told.append(self._piece({"type": "text_delta", "text": text}))
            for place, call in enumerate(option.delta.tool_calls or ()):
                told.append(self._call(place if call.index is None else call.index, call))
        return b"".join(told)

    def done(self, _: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        ending = {"stop_reason": _stop(self._stop, called=self._called), "stop_sequence": None}
        return b"".join(
            (
                b"" if self._started else self._start(""),
                self._shut(),
                event("message_delta", {"delta": ending, "usage": _usage(self._usage)}),
                event("message_stop", {}),
            )
        )

    def _start(self, model: str) -> bytes:
        self._started = True
        return event("message_start", {"message": _message(self._name, model, [], _usage(None))})

    def _call(self, index: int, call: Call) -> bytes:
        self._called = True
        name = call.function.name if call.function is not None else None
        block = {"type": "tool_use", "id": call.id or f"call_{index}", "name": name or "", "input": {}}
        told = self._turn(index, block)
        arguments = call.function.text() if call.function is not None else ""
        return told + (self._piece({"type": "input_json_delta", "partial_json": arguments}) if arguments else b"")

    def _turn(self, key: int | str, block: Document) -> bytes:
        """Go on with the block that is open, or begin the next."""
        if self._open == key:
            return b""
        told = self._shut()
        self._open = key
        self._block += 1
        return told + event("content_block_start", {"index": self._block, "content_block": block})

    def _piece(self, delta: Document) -> bytes:
        return event("content_block_delta", {"index": self._block, "delta": delta})

    def _shut(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return event("content_block_stop", {"index": self._block})


class Anthropic:
    """See :class:`gateway.dialects.dialect.Dialect`."""

    prefix = "msg_"

    def read(self, body: bytes) -> MessagesInquiry:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        chat = as_chat(body)
        return MessagesInquiry(read_chat(chat), chat)

    def error(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return msgspec.json.encode({"type": "error", **_error(error)})

    def broken(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return event("error", _error(error))


def _message(name: str, model: str, content: list[Document], usage: Document) -> Document:
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(usage: Usage | None) -> Document:
    usage = usage or Usage()
    return {
        "input_tokens": max(usage.read - usage.cached, 0),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.written,
    }


def _used(call: Call) -> Document:
    arguments = call.function.text() if call.function is not None else ""
    try:
        given = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed("The model called a tool with arguments that are not valid JSON.") from error
    name = call.function.name if call.function is not None else None
    return {"type": "tool_use", "id": call.id or "", "name": name or "", "input": given}


def _stop(reason: str | None, *, called: bool) -> str:
    return _STOPS.get(reason or "", "tool_use" if called else "end_turn")


def _error(error: GatewayError) -> Document:
    kind = _ERRORS.get(error.http_status, "api_error" if error.http_status >= 500 else "invalid_request_error")
    return {"error": {"type": kind, "message": error.message}}
