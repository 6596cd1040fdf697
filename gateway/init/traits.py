"""What a model can do, as far as its server or its name tells."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """Facts about one model at one server; ``context_window`` is None where the server does not say."""

    context_window: int | None = None
    tools: bool = False
    json_mode: bool = False
    vision: bool = False
    embeddings: bool = False
    note: str | None = None


_EMBEDDINGS = re.compile(r"embed|^(bge|gte|e5|all-minilm|paraphrase)-", re.IGNORECASE)
_UNSERVED = re.compile(r"rerank|whisper|(^|[-_/])tts([-_]|$)|diffusion|(^|[-_/])flux", re.IGNORECASE)
_VISION = re.compile(r"llava|vision|pixtral|moondream|(^|[-_.])vl([-_:.]|$)", re.IGNORECASE)

_STRENGTHS = (
    (r"cod(e|er|estral)|devstral|starcoder", "Writing, explaining, reviewing and fixing program code."),
    (r"sql", "Turning questions about data into SQL queries."),
    (r"math", "Mathematics: sums, algebra, proofs and word problems, step by step."),
    (r"translat|nllb|madlad|opus-mt|tower", "Translating texts from one language into another."),
    (r"med(ical|gemma|itron)?([-_:.]|$)|bio|clinical", "Questions about medicine and biology."),
    (r"guard|shield|moderation", "Judging whether a text is safe or breaks a content policy."),
    (r"summar", "Summarising long texts."),
    (
        r"reason|think|qwq|(^|[-_/])r1([-_:.]|$)|magistral",
        "Hard questions that need careful reasoning, step by step.",
    ),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), sentence) for pattern, sentence in _STRENGTHS)


def is_embedder(name: str) -> bool:
    """Whether a model of this name most likely makes embeddings."""
    return _EMBEDDINGS.search(name.rpartition("/")[2]) is not None


def is_unserved(name: str) -> bool:
    """Whether a model of this name most likely neither chats nor embeds (speech, images, reranking)."""
    return _UNSERVED.search(name) is not None


def describe(name: str, *, vision: bool = False) -> str:
    """A first description from a model's name, for the router's first guess; a person should better it."""
    if is_embedder(name):
        return "Embeddings of texts, for search and comparison."
    sentences = [sentence for pattern, sentence in _PATTERNS if pattern.search(name)]
    if vision or _VISION.search(name):
        sentences.append("Questions about images.")
    return " ".join(sentences) or "General conversation, questions, explanations and writing."
