"""OpenAI's Responses API: answers, streams and errors, and the dialect as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from gateway.dialects.dialect import Call, Chat, Usage, event, heard
from gateway.dialects.inputs import as_chat
from gateway.errors import GatewayError, UpstreamFailed
from gateway.request import Reading, read_chat

Document = dict[str, Any]

#: Of the request, what its response says again, and what it says where the request was silent.
_ECHOED: Document = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class ResponsesInquiry(NamedTuple):
    """See :class:`gateway.dialects.dialect.Inquiry`; ``fields`` are the request's own."""

    reading: Reading
    body: bytes
    fields: Document

    def answer(self, data: bytes, name: str) -> bytes:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        chat = heard(data)
        if not chat.choices or chat.choices[0].message is None:
            raise UpstreamFailed("The model answered without a message.")
        said = chat.choices[0].message
        output = [_message(name, 0, said.text())] if said.text() or not said.tool_calls else []
        output += [_called(name, len(output) + place, call) for place, call in enumerate(said.tool_calls or ())]
        return msgspec.json.encode(self.ended(name, chat, output, chat.choices[0].finish_reason))

    def speech(self, name: str) -> ResponsesSpeech:
        """See :class:`gateway.dialects.dialect.Inquiry`."""
        return ResponsesSpeech(name=name, inquiry=self)

    def document(self, name: str, chat: Chat, output: list[Document], status: str) -> Document:
        """The response as it stands."""
        return {
            "id": name,
            "object": "response",
            "created_at": chat.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": chat.model,
            "output": output,
            "store": False,
            "usage": None,
            **_ECHOED,
            **{field: said for field in _ECHOED if (said := self.fields.get(field)) is not None},
        }

    def ended(self, name: str, chat: Chat, output: list[Document], reason: str | None) -> Document:
        """The response at its end; ``reason`` is why the model stopped."""
        why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(reason or "")
        document = self.document(name, chat, output, "incomplete" if why else "completed")
        if why:
            document["incomplete_details"] = {"reason": why}
        if chat.usage is not None:
            document["usage"] = _usage(chat.usage)
        return document


class ResponsesSpeech:
    """Items follow one another: words, then tool calls; ``sequence_number`` counts the events."""

    def __init__(self, *, name: str, inquiry: ResponsesInquiry) -> None:
        self._name = name
        self._inquiry = inquiry
        self._number = 0
        self._chat: Chat | None = None
        self._reason: str | None = None
        self._items: list[Document] = []
        self._key: int | str | None = None

    def said(self, _: bytes, data: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        if not data:
            return b""
        chat = heard(data)
        told = [] if self._chat is not None else self._begun(chat)
        assert self._chat is not None
        self._chat.usage = chat.usage or self._chat.usage
        for option in chat.choices[:1]:
            self._reason = option.finish_reason or self._reason
            if option.delta is None:
                continue
            if text := option.delta.text():
                told += self._words(text)
            for place, call in enumerate(option.delta.tool_calls or ()):
                told += self._call(place if call.index is None else call.index, call)
        return b"".join(told)

    def done(self, _: bytes) -> bytes:
        """See :class:`gateway.dialects.dialect.Speech`."""
        told = [] if self._chat is not None else self._begun(Chat())
        assert self._chat is not None
        told += self._shut()
        document = self._inquiry.ended(self._name, self._chat, self._items, self._reason)
        return b"".join([*told, self._tell(f"response.{document['status']}", {"response": document})])

    def _begun(self, chat: Chat) -> list[bytes]:
        self._chat = chat
        document = self._inquiry.document(self._name, chat, [], "in_progress")
        return [self._tell(f"response.{each}", {"response": document}) for each in ("created", "in_progress")]

    def _words(self, text: str) -> list[bytes]:
        told: list[bytes] = []
        if self._key != "words":
            told += self._turn("words", {**_message(self._name, len(self._items), ""), "content": []})
            told.append(self._tell("response.content_part.added", {**self._place(part=True), "part": _words("")}))
            self._items[-1]["content"] = [_words("")]
        self._items[-1]["content"][0]["text"] += text
        piece = {**self._place(part=True), "delta": text, "logprobs": []}
        return [*told, self._tell("response.output_text.delta", piece)]

    def _call(self, index: int, call: Call) -> list[bytes]:
        told: list[bytes] = []
        if self._key != index:
            begun = _called(self._name, len(self._items), call)
            told += self._turn(index, {**begun, "arguments": ""})
        if arguments := call.function.text() if call.function is not None else "":
            self._items[-1]["arguments"] += arguments
            told.append(self._tell("response.function_call_arguments.delta", {**self._place(), "delta": arguments}))
        return told

    def _turn(self, key: int | str, item: Document) -> list[bytes]:
        """End the item that is open and begin the next."""
        told = self._shut()
        self._key = key
        self._items.append({**item, "status": "in_progress"})
        return [*told, self._tell("response.output_item.added", {"output_index": self._at, "item": self._items[-1]})]

    def _shut(self) -> list[bytes]:
        if self._key is None:
            return []
        item = self._items[-1]
        told: list[bytes] = []
        if self._key == "words":
            part, place = item["content"][0], self._place(part=True)
            told.append(self._tell("response.output_text.done", {**place, "text": part["text"], "logprobs": []}))
            told.append(self._tell("response.content_part.done", {**place, "part": part}))
        else:
            ended = {**self._place(), "name": item["name"], "arguments": item["arguments"]}
            told.append(self._tell("response.function_call_arguments.done", ended))
        self._key, item["status"] = None, "completed"
        return [*told, self._tell("response.output_item.done", {"output_index": self._at, "item": item})]

    @property
    def _at(self) -> int:
        return len(self._items) - 1

    def _place(self, *, part: bool = False) -> Document:
        place = {"item_id": self._items[-1]["id"], "output_index": self._at}
        return {**place, "content_index": 0} if part else place

    def _tell(self, kind: str, document: Document) -> bytes:
        told = event(kind, {"sequence_number": self._number, **document})
        self._number += 1
        return told


class Responses:
    """See :class:`gateway.dialects.dialect.Dialect`."""

    prefix = "resp_"

    def read(self, body: bytes) -> ResponsesInquiry:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        chat, fields = as_chat(body)
        return ResponsesInquiry(read_chat(chat), chat, fields)

    def error(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        return error.body()

    def broken(self, error: GatewayError) -> bytes:
        """See :class:`gateway.dialects.dialect.Dialect`."""
        told = error.document()["error"]
        return event("error", {**told, "type": "error", "error": told})


def _words(text: str) -> Document:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(name: str, place: int, text: str) -> Document:
    described = {"type": "message", "id": f"{name}_{place}", "status": "completed", "role": "assistant"}
    return {**described, "content": [_words(text)]}


def _called(name: str, place: int, call: Call) -> Document:
    function = call.function
    return {
        "type": "function_call",
        "id": f"{name}_{place}",
        "call_id": call.id or f"call_{place}",
        "name": (function.name if function is not None else None) or "",
        "arguments": function.text() if function is not None else "",
        "status": "completed",
    }


def _usage(usage: Usage) -> Document:
    return {
        "input_tokens": usage.read,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.read + usage.written,
    }
