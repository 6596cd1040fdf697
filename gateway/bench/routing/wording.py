"""The same request in other words: slips of the keyboard, and careless punctuation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from random import Random

SLIPS = 0.03
"""Share of the letters that a typist gets wrong."""


def typos(text: str) -> str:
    """Letters swapped with the next, left out, or struck twice; the same for the same text."""
    random = Random(hashlib.sha256(text.encode(errors="replace")).digest())
    letters = list(text)
    for position, letter in enumerate(letters[:-1]):
        if not letter.isalpha() or random.random() >= SLIPS:
            continue
        slip = random.randrange(3)
        if slip == 0 and letters[position + 1].isalpha():
            letters[position], letters[position + 1] = letters[position + 1], letter
        else:
            letters[position] = "" if slip == 1 else letter * 2
    return "".join(letters)


def punctuation(text: str) -> str:
    """No commas, no mark at the end, a small first letter, and twice the space after a full stop."""
    text = re.sub(r"\. (?=\S)", ".  ", text.replace(", ", " ")).rstrip().rstrip(".?!")
    return text[:1].lower() + text[1:]


def as_written(text: str) -> str:
    """The text itself."""
    return text


WORDINGS: dict[str, Callable[[str], str]] = {"plain": as_written, "typos": typos, "punctuation": punctuation}
"""Every wording by its name."""
