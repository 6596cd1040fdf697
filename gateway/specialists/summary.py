"""Extractive summaries: a text's most central sentences, by TextRank (summa; Mihalcea and Tarau, 2004)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from summa import summarizer
from text_to_num import alpha2digit

from gateway.specialists.excerpt import excerpt
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only summarise: send me a text of at least two sentences."
MAX_SENTENCES = 150
MAX_CHARACTERS = 64_000
FEWEST, FEWEST_UNASKED = 2, 4
DEFAULT_SHARE, DEFAULT_MOST = 0.3, 5

_CUE = re.compile(
    r"\b(summar\w*|tl;?dr|shorten|condense|abridge|in short|main (point|idea)s?|key (point|idea)s?|gist|brief(ly)?)",
    re.IGNORECASE,
)
_WANTED = re.compile(r"\b(\d{1,2}|a single|a)\s+(?:short\s+|key\s+|main\s+)?(?:sentences?|points?|bullets?|lines?)\b")
_SENTENCE = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=\S)|\n+")


def load() -> Summary:
    """The library keeps its stop words and stemmer within its code: there is nothing to load."""
    return Summary()


class Summary:
    """Picks sentences; never writes one."""

    parallel = 1

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The most central sentences in their order, or a refusal for less than a short text."""
        prompt = prompt_of(messages, limit=MAX_CHARACTERS)
        text = excerpt(prompt, cue=_CUE)
        sentences = [part.strip() for part in _SENTENCE.split(text) if part.strip()][:MAX_SENTENCES]
        if len(sentences) < (FEWEST if _CUE.search(prompt) else FEWEST_UNASKED):
            return REFUSAL
        instruction = prompt.replace(text, " ") if text != prompt else ""
        return " ".join(central(sentences, wanted(instruction) or default_length(len(sentences))))


def default_length(sentences: int) -> int:
    """How many sentences to keep of a text of ``sentences``."""
    return max(1, min(DEFAULT_MOST, round(sentences * DEFAULT_SHARE)))


def wanted(instruction: str) -> int | None:
    """How many sentences the instruction asks for, if it says so."""
    found = _WANTED.search(alpha2digit(instruction.lower(), "en", 0))
    if found is None:
        return None
    return max(1, int(found.group(1))) if found.group(1).isdigit() else 1


def central(sentences: list[str], count: int) -> list[str]:
    """The ``count`` most central of ``sentences``, in their order; the first ones where none stands out."""
    scores = dict(summarizer.summarize("\n".join(sentences), ratio=1.0, split=True, scores=True))
    ranked = sorted(range(len(sentences)), key=lambda at: (-scores.get(sentences[at], 0.0), at))
    return [sentences[at] for at in sorted(ranked[:count])]
