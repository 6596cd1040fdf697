"""How a text feels: positive, negative or neutral, by VADER's rated lexicon and rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from text_to_num import alpha2digit
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from gateway.specialists.excerpt import excerpt
from gateway.specialists.protocol import Message, Parameters, prompt_of

REFUSAL = "I only rate the sentiment of a text, such as a review: send me one."
MAX_CHARACTERS = 4_096

# The bounds that VADER's authors recommend for its compound score.
POSITIVE, NEGATIVE = 0.05, -0.05

# From this score on a text gets all points of a scale, and down to its negative the fewest.
DECIDED = 0.7

_CUE = re.compile(
    r"\b(sentiment|review|rat(e|ing)|feedback|opinion|mood|tone|emotions?|feel(s|ing|ings)?|classify|label"
    r"|positive|negative|neutral|tweet|comment|happy or|satisfied|customer)\b",
    re.IGNORECASE,
)
_LABELS = re.compile(
    r"\b(positive|negative|neutral)\b(\W+(?:or\W+|and\W+)?(positive|negative|neutral)\b)+", re.IGNORECASE
)
_SCALE = re.compile(r"(?:\b[01]\s*(?:to|-|\u2013|and)|\bout of)\s*(5|10)\b|\bin stars\b|\bstar rating\b", re.IGNORECASE)
_PAIR = re.compile(r"\b(good|happy|satisfied) or (bad|unhappy|dissatisfied|unsatisfied)\b", re.IGNORECASE)


def load() -> Sentiment:
    """Load VADER's lexicon."""
    return Sentiment(analyser=SentimentIntensityAnalyzer())


class Sentiment:
    """Labels a text; the label is the answer's first word, after points where the prompt gives a scale."""

    parallel = 1

    def __init__(self, *, analyser: SentimentIntensityAnalyzer) -> None:
        self._analyser = analyser

    def answer(self, messages: Sequence[Message], parameters: Parameters) -> str:
        """The label and VADER's compound score, or a refusal where nothing is felt and nobody asked."""
        prompt = prompt_of(messages, limit=MAX_CHARACTERS)
        text = excerpt(prompt, cue=_CUE)
        score: float = self._analyser.polarity_scores(_LABELS.sub(" ", text))["compound"]
        if score == 0 and not _CUE.search(prompt):
            return REFUSAL
        label = "positive" if score >= POSITIVE else "negative" if score <= NEGATIVE else "neutral"
        return f"{_as_asked(prompt.replace(text, ' '), score)}{label} (score {score:+.2f} on a scale from -1 to +1)"


def _as_asked(instruction: str, score: float) -> str:
    """The verdict on the scale of points or with the words that the instruction gives, if it does."""
    scale, pair = _SCALE.search(alpha2digit(instruction, "en", 0)), _PAIR.search(instruction)
    if scale:
        top = int(scale[1] or 5)
        return f"{1 + round((max(-1, min(1, score / DECIDED)) + 1) / 2 * (top - 1))} out of {top}, "
    return f"{pair[1 if score > 0 else 2].lower()}, " if pair else ""
