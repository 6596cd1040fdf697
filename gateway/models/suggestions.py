"""What litellm's own list would put into a card. It is a file that is read aside: nobody is asked, nothing imported."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.config import ModelCard
from gateway.providers.prices import suggest

#: Fields that a card may leave out, and that cost something where they are wrong.
FIELDS = ("price", "context_window", "max_output_tokens")


async def suggested(model: str) -> dict[str, Any]:
    """A card's fields for a model, as JSON; none where nothing is known of it."""
    found = await asyncio.to_thread(suggest, model)
    if found is None:
        return {}
    fields = found.fields()
    price = fields.get("price")
    plain = {} if price is None else {"price": price.model_dump(exclude_unset=True)}
    return {**fields, "modalities": sorted(found.modalities), **plain}


async def lacking(card: ModelCard) -> dict[str, Any]:
    """Of these, what a card leaves out."""
    left_out = [name for name in FIELDS if name not in card.model_fields_set]
    found = await suggested(card.upstream.model) if left_out else {}
    return {name: found[name] for name in left_out if name in found}
