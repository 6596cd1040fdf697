"""How good an answer is, from 0 to 1, by the prompt's right answer alone: no score knows which model answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]+")
_REFUSAL = re.compile(
    r"\bI only\b|\bas an AI\b|\bI(?:'m| am) (?:sorry|unable|not able)\b|\bI (?:cannot|can't|don't know)\b",
    re.IGNORECASE,
)

SHORTER = 0.7
"""A summary is at most this share of its text's length."""

FAITHFUL = 0.6
"""Least share of a summary's longer words that stand in the text: the rest is invented."""

FLUENT_WORDS = 15
"""Least words of an answer to an open question."""


def numbers(text: str) -> list[float]:
    """Every number that a text states, in order; commas between thousands are read over."""
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text)]


def words(text: str) -> list[str]:
    """A text's words in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def number(answer: str, *, right: float, prompt: str = "", tolerance: float = 1e-6) -> float:
    """1 when the first or the last number that the answer adds to the prompt's is right, within relative ``tolerance``.

    An answer that only repeats numbers of the prompt states the last of them.
    """
    stated = numbers(answer)
    asked = numbers(prompt)
    added = [value for value in stated if value not in asked] or stated[-1:]
    return float(any(abs(value - right) <= tolerance * max(abs(right), 1.0) for value in (*added[:1], *added[-1:])))


def label(answer: str, *, right: str, wrong: Collection[str]) -> float:
    """1 when the answer says the right label and none of the wrong ones."""
    said = set(words(answer))
    return float(right in said and not said & set(wrong))


def name(answer: str, *, names: Sequence[str]) -> float:
    """1 when the answer holds one of these names as a whole word; letters' case counts in one-letter names."""
    for each in names:
        flags = re.NOFLAG if len(each) == 1 else re.IGNORECASE
        if re.search(rf"(?<!\w){re.escape(each)}(?![\w+#])", answer, flags):
            return 1.0
    return 0.0


def summary(answer: str, *, text: str, keys: Sequence[str]) -> float:
    """The share of the text's key words that a shorter, faithful answer names; 0 for a long or an invented one."""
    said = words(answer)
    known = set(words(text))
    longer = [word for word in said if len(word) > 4]
    if not longer or len(answer) > SHORTER * len(text):
        return 0.0
    if sum(word in known for word in longer) < FAITHFUL * len(longer):
        return 0.0
    return sum(key in said for key in keys) / len(keys)


def correction(answer: str, *, right: Sequence[str], wrong: Sequence[str]) -> float:
    """The share of misspelled words that are there corrected, and no longer misspelled."""
    said = set(words(answer))
    fixed = [good.lower() in said and bad.lower() not in said for good, bad in zip(right, wrong, strict=True)]
    return sum(fixed) / len(fixed)


def fluent(answer: str, *, topic: str) -> float:
    """1 for sentences on the topic, half for others; 0 for a refusal, a few words, or the same ones again and again."""
    said = words(answer)
    if len(said) < FLUENT_WORDS or len(set(said)) < len(said) / 4 or _REFUSAL.search(answer):
        return 0.0
    stem = words(topic)[-1].removesuffix("s")
    return 1.0 if any(word.startswith(stem) for word in said) else 0.5
