"""One model as it is declared: its card, where that comes from, and what admins said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

import structlog
from pydantic import ValidationError

from gateway.config import Configuration, ModelCard
from gateway.models.revisions import Revision
from gateway.models.standing import ACTIVE, Standing

_logger = structlog.get_logger("polyculture.models")

#: The configuration file, the built-in demo, or an admin.
Origin = Literal["file", "specialist", "api"]


class Entry(NamedTuple):
    """``revision`` is the last that was said by the API; ``fault`` is why a declared model cannot be used."""

    card: ModelCard
    origin: Origin
    revision: Revision | None = None
    fault: str = ""

    @property
    def standing(self) -> Standing:
        """Where an admin put it; what its card disables is disabled all the same."""
        said = None if self.revision is None else self.revision.standing
        return said or ACTIVE

    @property
    def hides(self) -> bool:
        """Whether a card by the API has the same id: what comes with the installation wins."""
        return self.origin != "api" and self.revision is not None and bool(self.revision.card)

    @property
    def etag(self) -> str:
        """Another one after every change."""
        said = 0 if self.revision is None else self.revision.seq
        return f'"{said}-{hashlib.sha256(written(self.card).encode()).hexdigest()[:16]}"'


def written(card: ModelCard) -> str:
    """A card as JSON: what was said of the model, without defaults."""
    return card.model_dump_json(exclude_unset=True)


def keyless(card: ModelCard) -> ModelCard:
    """A card that names no key."""
    upstream = card.upstream.model_copy(update={"api_key_env": None, "api_key_file": None})
    return card.model_copy(update={"upstream": upstream})


def given(configuration: Configuration, specialists: Iterable[ModelCard]) -> Iterator[tuple[ModelCard, Origin]]:
    """The cards that come with the installation: the file's, then the demo's under what the file says of them."""
    for card in configuration.models:
        yield card, "file"
    for card in specialists:
        override = configuration.overrides.get(card.id)
        yield card if override is None else override.applied(card), "specialist"


def entries(given: Iterable[tuple[ModelCard, Origin]], said: Mapping[str, Revision]) -> dict[str, Entry]:
    """All models by id: those that come with the installation in their order, then those by the API."""
    found = {card.id: Entry(card, origin, said.get(card.id)) for card, origin in given}
    for name, revision in said.items():
        if not revision.card:
            continue
        if name in found:
            _logger.warning(
                "card_hidden", model=name, reason="it is declared by the API and in the file: the file wins"
            )
            continue
        try:
            found[name] = Entry(ModelCard.model_validate_json(revision.card), "api", revision)
        except ValidationError as error:
            fields = [".".join(map(str, each["loc"])) for each in error.errors()]
            _logger.error("card_unusable", model=name, revision=revision.seq, fields=fields)
    return found
