"""What is commonly known of a model: prices and windows for cards that leave them out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.keys import Principal
from gateway.models.suggestions import suggested
from gateway.operations import Group, get


class SuggestionAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which model, named as litellm names it: ``anthropic/claude-sonnet-4-5``."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Suggested(msgspec.Struct):
    """Fields for its card; none where litellm's own list does not know the model, or litellm is not installed."""

    model: str
    suggested: dict[str, Any]


class Suggesting(Group):
    """``/admin/v1/suggestions``."""

    @get("/admin/v1/suggestions", "Look up a model's usual price and window", asked=SuggestionAsked, answer=Suggested)
    async def suggest(self, principal: Principal, asked: SuggestionAsked) -> Suggested:
        """From a list on this machine: nobody is asked."""
        return Suggested(asked.model, await suggested(asked.model))
