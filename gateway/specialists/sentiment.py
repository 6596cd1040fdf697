"""How a text feels: positive, negative or neutral, by VADER's rated lexicon and rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from gateway.specialists.excerpt import excerpt
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only rate the sentiment of a text, such as a review: send me one."
MAX_CHARACTERS = 4_096

# The bounds that VADER's authors recommend for its compound score.
POSITIVE, NEGATIVE = 0.05, -0.05

_CUE = re.compile(
    r"\b(sentiment|review|rat(e|ing)|feedback|opinion|mood|tone|emotions?|feel(s|ing|ings)?|classify|label"
    r"|positive|negative|neutral|tweet|comment|happy or|satisfied|customer)\b",
    re.IGNORECASE,
)
_LABELS = re.compile(
    r"\b(positive|negative|neutral)\b(\W+(?:or\W+|and\W+)?(positive|negative|neutral)\b)+", re.IGNORECASE
)


def load() -> Sentiment:
    """Load VADER's lexicon."""
    return Sentiment(analyser=SentimentIntensityAnalyzer())


class Sentiment:
    """Labels a text; the label is the answer's first word."""

    parallel = 1

    def __init__(self, *, analyser: SentimentIntensityAnalyzer) -> None:
        self._analyser = analyser

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The label and VADER's compound score, or a refusal where nothing is felt and nobody asked."""
        prompt = prompt_of(messages, limit=MAX_CHARACTERS)
        text = _LABELS.sub(" ", excerpt(prompt, cue=_CUE))
        score: float = self._analyser.polarity_scores(text)["compound"]
        if score == 0 and not _CUE.search(prompt):
            return REFUSAL
        label = "positive" if score >= POSITIVE else "negative" if score <= NEGATIVE else "neutral"
        return f"{label} (score {score:+.2f} on a scale from -1 to +1)"
