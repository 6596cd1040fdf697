"""Model cards as clients send them: read, patched, and refused where they hold what looks like a key."""

from __future__ import annotations

import json
from typing import Any

from gateway.config import ModelCard
from gateway.decoding import merged, validated
from gateway.errors import BadRequest
from gateway.models.entry import written
from gateway.models.keylike import keylike

_NO_SECRETS = (
    "This looks like a key. A card holds none: api_key_env names the environment variable that does (capital letters, "
    "digits and _, and none of the gateway's own), or api_key_file the file."
)


#: What may follow a model's id in the paths of the admin API.
ACTS = frozenset({"history", "state", "enable", "disable", "drain", "test"})


def addressable(card: ModelCard) -> ModelCard:
    """The card, if its id can be told from a path below another one's. Raises :class:`BadRequest`."""
    if "/" in card.id and card.id.rpartition("/")[2] in ACTS:
        raise BadRequest(f"No id may end in one of {', '.join(sorted(ACTS))} after a slash.", param="id")
    return card


def card_of(document: Any) -> ModelCard:
    """The card that a JSON document is. Raises :class:`BadRequest` naming the first faulty field, never its value."""
    try:
        place = keylike(document)
    except RecursionError as error:
        raise BadRequest("The card is nested too deeply.") from error
    if place is not None:
        raise BadRequest(f"{place or 'The card'}: {_NO_SECRETS}", param=place or None)
    return validated(ModelCard, document)


def patched(card: ModelCard, patch: dict[str, Any]) -> ModelCard:
    """The card with a patch applied; ``null`` gives a field its default. Raises :class:`BadRequest`."""
    if patch.get("id", card.id) != card.id:
        raise BadRequest("A model keeps its id: create another one.", param="id")
    try:
        document = merged(json.loads(written(card)), patch)
    except RecursionError as error:
        raise BadRequest("The patch is nested too deeply.") from error
    return card_of(document)
