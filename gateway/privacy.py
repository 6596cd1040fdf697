"""Which requests are private: they go to no model that is not marked so, in no way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.http import Scope

HEADER = b"x-polyculture-private"

#: The key in a request's metadata that says the same, for clients that set no headers.
KEY = "polyculture_private"

#: What a body holds that may say so.
MARK = KEY.encode()

_NO = frozenset({"", "0", "false", "no", "none", "off"})


class _Marked(msgspec.Struct):
    metadata: Any = None


_marked = msgspec.json.Decoder(_Marked)


def private(scope: Scope, body: bytes) -> bool:
    """Whether the request says so, by its header or its metadata; a word that is not understood counts as yes."""
    if any(name == HEADER and _means(value.decode("latin-1")) for name, value in scope["headers"]):
        return True
    return MARK in body and _noted(body)


def _noted(body: bytes) -> bool:
    try:
        metadata = _marked.decode(body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # it is no request at all, and will be told so
    return isinstance(metadata, Mapping) and KEY in metadata and _means(str(metadata[KEY]))


def _means(word: str) -> bool:
    return word.strip().lower() not in _NO
