"""Bounds what is read of a text: its head and its tail, first in characters and then in tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

Tokens = TypeVar("Tokens", list[int], bytes)

CHARACTERS_PER_TOKEN: Final = 6
"""Ordinary text has four or five, so this many seldom leave an end short of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Keeps the first ``head`` and the last ``tail`` tokens: a prompt's task mostly stands at one of its ends.

    Raises ``ValueError`` unless ``head`` is positive and ``tail`` is not negative.
    """

    head: int
    tail: int

    def __post_init__(self) -> None:
        if self.head < 1 or self.tail < 0:
            raise ValueError(f"an excerpt needs head >= 1 and tail >= 0, not {self.head} and {self.tail}")

    def text(self, text: str) -> str:
        """The characters worth tokenising, in time independent of the text's length; lone surrogates become ``?``."""
        head, tail = self.head * CHARACTERS_PER_TOKEN, self.tail * CHARACTERS_PER_TOKEN
        if len(text) > head + tail:
            text = f"{text[:head]} {text[len(text) - tail :]}"
        return text if text.isascii() else text.encode(errors="replace").decode()

    def tokens(self, ids: Tokens, *, width: int = 1) -> Tokens:
        """The tokens worth embedding, at most ``head + tail``; each takes ``width`` places in ``ids``."""
        head, tail = self.head * width, self.tail * width
        if len(ids) <= head + tail:
            return ids
        return ids[:head] + ids[len(ids) - tail :]
