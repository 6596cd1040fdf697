"""Hosted providers on loopback, each with its own API: Anthropic's, Gemini's, and those that are OpenAI's or nearly so.

One server speaks for all; which API is meant shows in the path. A model's script stands for what it is asked by any.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support import answers
from tests.support.answers import Document, compact
from tests.support.upstream import Script, Upstream, speak, stream, whole

_GEMINI = re.compile(rb"/models/([^:/ ]+):(\w+)")

#: What every tool is called with, and what is said where JSON is asked for.
CITY, SOLUTION = {"city": "Paris"}, {"answer": 42}


class Providers(Upstream):
    """Answers as the provider would whose API it is."""

    def named(self, head: bytes, document: Document) -> str:
        """See :class:`Upstream`; Gemini's API has the model in its path."""
        found = _GEMINI.search(head)
        return found[1].decode() if found else super().named(head, document)

    def speak(self, head: bytes, document: Document) -> Script:
        """See :class:`Upstream`."""
        if found := _GEMINI.search(head):
            return gemini(document, model=found[1].decode(), action=found[2].decode())
        if b"/v1/messages " in head:
            return anthropic(document)
        return speak(re.sub(rb"\?\S*", b"", head, count=1), document)  # Azure's paths end in a version


def anthropic(document: Document) -> Script:
    """Anthropic's Messages API. JSON is a tool of its own, or a format."""
    about = {"id": "msg_0", "type": "message", "role": "assistant", "model": document["model"], "stop_sequence": None}
    used = {"input_tokens": 10, "output_tokens": 5}
    if (tools := document.get("tools")) and "tool_result" not in json.dumps(document["messages"][-1]):
        name, stop = tools[0]["name"], "tool_use"
        given = SOLUTION if "json" in name else CITY
        begun: Document = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
        block = {**begun, "input": given}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in halves(json.dumps(given))]
    else:
        text = json.dumps(SOLUTION) if "output_format" in document else f"Hello from {document['model']}."
        stop, begun, block = "end_turn", {"type": "text", "text": ""}, {"type": "text", "text": text}
        deltas = [{"type": "text_delta", "text": part} for part in halves(text)]
    if not document.get("stream"):
        return Script(pieces=[whole(compact({**about, "content": [block], "stop_reason": stop, "usage": used}))])
    events = [
        told("message_start", message={**about, "content": [], "stop_reason": None, "usage": used}),
        told("content_block_start", index=0, content_block=begun),
        *(told("content_block_delta", index=0, delta=delta) for delta in deltas),
        told("content_block_stop", index=0),
        told("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=used),
        told("message_stop"),
    ]
    return Script(pieces=stream(events))


def gemini(document: Document, *, model: str, action: str) -> Script:
    """Gemini's API."""
    if action == "batchEmbedContents":
        texts = [each["content"]["parts"][0]["text"] for each in document["requests"]]
        return Script(pieces=[whole(compact({"embeddings": [{"values": answers.vector(text)} for text in texts]}))])
    form = document.get("generationConfig", {})
    parts: list[Document]
    if "tools" in document and "response" not in json.dumps(document["contents"][-1]).lower():
        (declared,) = document["tools"][0].values()
        parts = [{"functionCall": {"name": declared[0]["name"], "args": CITY}}]
    else:
        is_json = "json" in form.get("responseMimeType", form.get("response_mime_type", ""))
        parts = [{"text": part} for part in halves(json.dumps(SOLUTION) if is_json else f"Hello from {model}.")]
    used = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    about: Document = {"usageMetadata": used, "modelVersion": model}
    if action == "generateContent":
        return Script(pieces=[whole(compact({**about, "candidates": [candidate(parts, last=True)]}))])
    pieces: list[Document] = [{"candidates": [candidate([part], last=False)]} for part in parts]
    pieces.append({**about, "candidates": [candidate([], last=True)]})
    return Script(pieces=stream([b"data: %s\r\n\r\n" % compact(piece) for piece in pieces]))


def candidate(parts: list[Document], *, last: bool) -> Document:
    content = {"role": "model", "parts": parts}
    return {"index": 0, "content": content, **({"finishReason": "STOP"} if last else {})}


def halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def told(kind: str, **fields: Any) -> bytes:
    """One of Anthropic's events."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), compact({"type": kind, **fields}))
