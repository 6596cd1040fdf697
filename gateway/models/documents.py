"""Model cards as clients send them: read, patched, and refused where they hold what looks like a key."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from gateway.config import ModelCard
from gateway.errors import BadRequest
from gateway.models.entry import written
from gateway.models.keylike import keylike

_NO_SECRETS = (
    "This looks like a key. A card holds none: api_key_env names the environment variable that does (capital letters, "
    "digits and _, and none of the gateway's own), or api_key_file the file."
)


def card_of(document: Any) -> ModelCard:
    """The card that a JSON document is. Raises :class:`BadRequest` naming the first faulty field, never its value."""
    if (place := keylike(document)) is not None:
        raise BadRequest(f"{place or 'The card'}: {_NO_SECRETS}", param=place or None)
    try:
        return ModelCard.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadRequest(f"{place or 'The card'}: {first['msg']}.", param=place or None) from error


def patched(card: ModelCard, patch: dict[str, Any]) -> ModelCard:
    """The card with a patch applied; ``null`` gives a field its default. Raises :class:`BadRequest`."""
    if patch.get("id", card.id) != card.id:
        raise BadRequest("A model keeps its id: create another one.", param="id")
    return card_of(merged(json.loads(written(card)), patch))


def merged(target: Any, patch: Any) -> Any:
    """A document under a merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
