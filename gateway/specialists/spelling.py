"""Spelling: each unknown word becomes the likeliest known one near it, by pyspellchecker's English word counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from spellchecker import SpellChecker

from gateway.specialists.excerpt import excerpt
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only correct spelling, and I found nothing to correct here."
MAX_CHARACTERS = 32_000

# A search two edits away takes time in the square of the word's length: all of an answer's together may take so much.
TWO_EDITS_BUDGET = 500
LONGEST_WORD = 24
MOST_UNKNOWN = 500

# How much likelier a correction is that keeps a word's set of letters, or its first letter: on lists of common slips.
SAME_LETTERS, SAME_START = 10.0, 10.0

_WORD = re.compile(r"[A-Za-z]+(?:['\u2019][A-Za-z]+)*")
_SENTENCE_START = re.compile(r"(?:\A|[.!?:]\s|\n)\W*\Z")
_CUE = re.compile(r"\b(spell(s|ing|ed)?|misspell\w*|typos?|correct(ed|ly)?|fix|proof-?read|mistakes?)\b", re.IGNORECASE)
_PREFIX = re.compile(
    r"\A.{0,60}?\b(?:spell(?:ing)?|correct|fix|proof-?read|typos?|mistakes?)\b"
    r"(?:\s+(?:of|in|for|the|this|my|all|spelling|typos?|mistakes?|errors?|following|words?|sentence|text|phrase))*\s+"
    r"(?=\S)",
    re.IGNORECASE | re.DOTALL,
)


def load() -> Spelling:
    """Load the English word counts."""
    return Spelling(checker=SpellChecker())


class Spelling:
    """Corrects a text word by word and leaves everything else as it is. Not thread-safe."""

    parallel = 1

    def __init__(self, *, checker: SpellChecker) -> None:
        self._checker = checker

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The corrected text alone, or a refusal where there is nothing to correct and nobody asked."""
        prompt = prompt_of(messages, limit=MAX_CHARACTERS)
        asked = _CUE.search(prompt) is not None
        text = excerpt(prompt, cue=_CUE)
        if asked and text == prompt.strip():
            text = _PREFIX.sub("", text, count=1)
        corrected = self.correct(text)
        return corrected if asked or corrected != text else REFUSAL

    def correct(self, text: str) -> str:
        """``text`` with its first :data:`MOST_UNKNOWN` different unknown words corrected."""
        found: dict[str, str] = {}
        budget = TWO_EDITS_BUDGET

        def corrected(match: re.Match[str]) -> str:
            nonlocal budget
            word, key = match.group(), match.group().lower().replace("\u2019", "'")
            if self._stays(word, key, before=text[max(0, match.start() - 4) : match.start()]):
                return word
            if key not in found and len(found) < MOST_UNKNOWN:
                found[key] = self._nearest(key, edits=1)
                if found[key] == key and len(key) ** 2 <= budget:
                    budget -= len(key) ** 2
                    found[key] = self._nearest(key, edits=2)
            nearest = found.get(key, key)
            return word if nearest == key else _in_case_of(word, nearest)

        return _WORD.sub(corrected, text)

    def _stays(self, word: str, key: str, *, before: str) -> bool:
        """Known words do; a capital inside a sentence marks a name, and capitals throughout an abbreviation."""
        shouted = len(word) > 1 and word.isupper()
        named = word[0].isupper() and not _SENTENCE_START.search(before)
        return key in self._checker or shouted or named or len(word) > LONGEST_WORD

    def _nearest(self, key: str, *, edits: int) -> str:
        self._checker.distance = edits
        candidates = sorted(self._checker.candidates(key) or {key})
        return max(candidates, key=lambda word: self._checker.word_usage_frequency(word) * _likeness(word, key))


def _likeness(word: str, key: str) -> float:
    """How much likelier a slip leads from ``word`` to ``key`` than an ordinary one.

    Most slips double, drop a double, or swap letters, so that the same ones are there; few change the first.
    """
    return (SAME_LETTERS if set(word) == set(key) else 1.0) * (SAME_START if word[0] == key[0] else 1.0)


def _in_case_of(word: str, correction: str) -> str:
    return correction.capitalize() if word[0].isupper() else correction
