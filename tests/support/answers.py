"""What model servers say: bodies with odd spacing and fields of their own, so that any touch would show."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Document = dict[str, Any]

#: The upstream's own id, which no client may see.
UPSTREAM_ID = "upstream-0"

#: Answers to one request.
MOST = 128

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def content(document: Document) -> str:
    """What the model says: JSON where JSON is asked for."""
    form = (document.get("response_format") or {}).get("type", "text")
    return '{"answer": 42}' if form != "text" else f"Hello from {document['model']}."


def tool_calls(document: Document) -> list[Document]:
    function = {"name": document["tools"][0]["function"]["name"], "arguments": '{"city": "Paris"}'}
    return [{"id": "call_1", "type": "function", "function": function}]


def calls_a_tool(document: Document) -> bool:
    """Whether there are tools, and none has answered just now."""
    return bool(document.get("tools")) and document["messages"][-1]["role"] != "tool"


def message(document: Document) -> Document:
    if calls_a_tool(document):
        return {"role": "assistant", "content": None, "tool_calls": tool_calls(document)}
    return {"role": "assistant", "content": content(document)}


def completion(document: Document, **fields: Any) -> bytes:
    """A whole answer. Its spacing, number formats and unknown fields are unusual on purpose."""
    finish = "tool_calls" if calls_a_tool(document) else "stop"
    if (document.get("n") or 1) > MOST:
        raise ValueError("so many answers are refused")
    choices = [
        {"index": number, "message": message(document), "logprobs": None, "finish_reason": finish}
        for number in range(document.get("n") or 1)
    ]
    rest = {"model": document.get("model", "none"), "choices": choices, "usage": USAGE, **fields}
    odd = b'"object" : "chat.completion", "created":1700000000 ,\t"x_unknown": {"kept" :1.70e9, "as":"\\u00e9"}'
    return b'{ "id": "%s",\n  %s, %s}\n' % (UPSTREAM_ID.encode(), odd, json.dumps(rest)[1:-1].encode())


def piece(delta: Document, *, finish: str | None = None, **fields: Any) -> Document:
    """One event's document."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    found: Document = {"id": UPSTREAM_ID, "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**found, "choices": [choice], **fields}


def pieces(document: Document) -> list[Document]:
    """A streamed answer's documents."""
    if calls_a_tool(document):
        deltas: list[Document] = [{"tool_calls": [{"index": 0, **tool_calls(document)[0]}]}]
        finish = "tool_calls"
    else:
        text = content(document)
        deltas, finish = [{"content": text[at : at + 4]} for at in range(0, len(text), 4)], "stop"
    found = [piece({"role": "assistant", "content": ""}), *map(piece, deltas), piece({}, finish=finish)]
    if (document.get("stream_options") or {}).get("include_usage"):
        found.append({**piece({}), "choices": [], "usage": USAGE})
    return found


def event(document: Any, *, end: str = "\n") -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(document)}{end}{end}".encode()


def events(document: Document, *, end: str = "\n") -> list[bytes]:
    """A streamed answer's events, with a comment among them."""
    first, *rest = (event(each, end=end) for each in pieces(document))
    return [first, f": keep-alive{end}{end}".encode(), *rest, f"data: [DONE]{end}{end}".encode()]


def embeddings(document: Document) -> bytes:
    """Vectors made from the texts' hashes: alike for the same text."""
    given = document["input"]
    texts = [given] if isinstance(given, str) else given
    data = [{"object": "embedding", "index": n, "embedding": vector(str(text))} for n, text in enumerate(texts)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return compact({"object": "list", "data": data, "model": document["model"], "usage": usage})


def moderation(document: Document) -> bytes:
    """A judgement of each text: those with "kill" in them are flagged."""
    given = document["input"]
    texts = [given] if isinstance(given, str) else given
    results = [{"flagged": "kill" in text, "categories": {}, "category_scores": {}} for text in texts]
    return compact({"id": "modr-1", "model": document["model"], "results": results})


def vector(text: str) -> list[float]:
    return [byte / 255 - 0.5 for byte in hashlib.sha256(text.encode(errors="replace")).digest()[:16]]
