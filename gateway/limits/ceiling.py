"""The most that a request can take: what is set aside for it until the truth is known.

Every token of a prompt is at least one byte of the request, and templates add a few; pictures and sound may take as
much as a model reads at all, and no chat takes more. Texts to embed are read one by one. An answer is as long as the
request, or the holder's limit, lets it be, and else as long as the model's card says that it may be:
``max_output_tokens``, or its whole context window.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from gateway.config import ModelCard
from gateway.limits.budget import nanodollars
from gateway.request import Reading

#: Tokens that a server may add to a prompt by its template, beyond those that the request's own bytes make up for.
TEMPLATE = 64


class Ceiling(msgspec.Struct, frozen=True):
    """At most so many tokens, and nanodollars."""

    tokens: int
    cost: int


#: What takes nothing, or is not measured.
NOTHING = Ceiling(0, 0)


class Terms(NamedTuple):
    """What counts of a model's card: its window, its longest answer, and USD per million tokens."""

    window: int
    longest: int
    input: float
    output: float

    @classmethod
    def of(cls, card: ModelCard) -> Terms:
        """The card's."""
        longest = 0 if card.endpoint == "embeddings" else card.max_output_tokens or card.context_window
        return cls(card.context_window, longest, card.price.input, card.price.output)


def steepest(cards: Iterable[ModelCard]) -> list[Terms]:
    """Those terms of which none is surpassed by another in everything."""
    found: list[Terms] = []
    for terms in sorted({Terms.of(card) for card in cards}, reverse=True):
        if not any(all(theirs >= ours for theirs, ours in zip(other, terms, strict=True)) for other in found):
            found.append(terms)
    return found


def ceiling(models: Iterable[Terms], reading: Reading, *, size: int, answer_tokens: int | None) -> Ceiling:
    """The most that any of these models can make of a request of so many bytes."""
    asked = reading.tokens - reading.prompt_tokens if reading.bounded else 0
    unread, chat = reading.images or reading.audio, reading.endpoint == "chat"
    read = size + TEMPLATE
    tokens, price = 0, 0.0
    for window, longest, price_in, price_out in models:
        prompt = window if unread or (chat and read > window) else read
        answer = min(asked or longest, longest and window, answer_tokens or window) * reading.choices
        tokens = max(tokens, prompt + answer)
        price = max(price, prompt * price_in + answer * price_out)
    return Ceiling(tokens, nanodollars(price / 1e6))
