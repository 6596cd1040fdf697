"""Which specialists there are: their model cards as data, and what each needs installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec

import yaml
from pydantic import HttpUrl

from gateway.config import ConfigurationError, ModelCard, ModelId, Section, Upstream


class Entry(Section):
    """One specialist before it has an address. Fields are a model card's, and ``needs``."""

    id: ModelId
    description: str
    license: str
    context_window: int
    max_output_tokens: int
    json_mode: bool = False
    tags: frozenset[str]
    needs: dict[str, str]

    def card(self, base_url: str) -> ModelCard:
        """The model card of this specialist served at ``base_url``."""
        upstream = Upstream(base_url=HttpUrl(base_url), model=self.id)
        return ModelCard(upstream=upstream, languages=("en",), **self.model_dump(exclude={"needs"}))

    def missing(self) -> list[str]:
        """What has to be installed before this specialist can run; nothing is imported to find out."""
        return [package for module, package in self.needs.items() if find_spec(module) is None]


def catalogue() -> tuple[Entry, ...]:
    """Every specialist there is."""
    document = yaml.safe_load(files(__package__).joinpath("cards.yaml").read_text(encoding="utf-8"))
    return tuple(Entry.model_validate(entry) for entry in document)


def chosen(names: Sequence[str] | None) -> tuple[Entry, ...]:
    """The specialists called ``names``, or all. Raises :class:`ConfigurationError` for an unknown name."""
    entries = {entry.id: entry for entry in catalogue()}
    unknown = sorted(set(names or ()) - set(entries))
    if unknown:
        raise ConfigurationError(f"there is no specialist {unknown[0]!r}: choose among {', '.join(entries)}")
    return tuple(entry for entry in entries.values() if names is None or entry.id in names)
