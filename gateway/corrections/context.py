"""Telling a model what was corrected: one more system message; every other message keeps its bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.decoding import decode

#: What stands before the corrections.
INTRODUCTION = "Earlier answers to requests like this one were corrected. Where a correction fits, follow it:"

#: The roles of messages that a conversation may begin with.
LEADING = frozenset({"system", "developer"})


class _Role(msgspec.Struct):
    role: str


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_messages = msgspec.json.Decoder(list[msgspec.Raw])
_role = msgspec.json.Decoder(_Role)


def message(texts: Sequence[str]) -> dict[str, str]:
    """The system message that tells of these corrections."""
    numbered = (f"{number}. {text}" for number, text in enumerate(texts, start=1))
    return {"role": "system", "content": "\n".join((INTRODUCTION, *numbered))}


def with_message(body: bytes, added: dict[str, str]) -> bytes:
    """A chat request's body with one more message, behind the system messages that it begins with."""
    fields = decode(_fields, body)
    messages = decode(_messages, bytes(fields["messages"]))
    leading = (place for place, each in enumerate(messages) if _role.decode(each).role not in LEADING)
    messages.insert(next(leading, len(messages)), msgspec.Raw(msgspec.json.encode(added)))
    fields["messages"] = msgspec.Raw(msgspec.json.encode(messages))
    return msgspec.json.encode(fields)
