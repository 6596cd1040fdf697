"""Hosted providers and how they are reached; the table itself is ``providers.yaml`` beside this file."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import HttpUrl, TypeAdapter

from gateway.config import ModelCard, Section
from gateway.init.source import Found, Source, collect


class Provider(Section):
    """A row of the table; ``models`` hold a model card's fields, ``model`` in place of id and upstream.

    Where it is ``native``, always or at an address that the user gives, only litellm speaks its language; it reads
    ``variables`` from the environment, besides the key.
    """

    name: str
    base_url: HttpUrl | None = None
    keys: tuple[str, ...] = ()
    litellm: tuple[str, ...]
    native: Literal["always", "elsewhere"] | None = None
    variables: tuple[str, ...] = ()
    short_names: str = ""
    models: tuple[dict[str, Any], ...] = ()

    def key_in(self, environment: Mapping[str, str]) -> str | None:
        """The first of its variables that is set in ``environment``, or None."""
        return next((name for name in self.keys if environment.get(name, "").strip()), None)

    def full_name(self, model: str) -> str:
        """The provider's own name for ``model``: some have a prefix that LiteLLM's users may leave out."""
        return model if "/" in model else self.short_names + model

    def known(self, model: str) -> dict[str, Any]:
        """The card fields that the table holds for ``model``, less its name; empty when it holds none."""
        row = next((row for row in self.models if row["model"] == model), {})
        return {field: value for field, value in row.items() if field != "model"}


@functools.cache
def providers() -> tuple[Provider, ...]:
    """The table."""
    text = resources.files(__package__).joinpath("providers.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Provider, ...]).validate_python(yaml.safe_load(text))


def find(environment: Mapping[str, str]) -> list[Source]:
    """A source for each provider with models whose key is set in ``environment``; no key is kept."""
    note = "Prices are in USD per million tokens, as of November 2026: check them against the provider's list."
    keys = ((provider, provider.key_in(environment)) for provider in providers() if provider.models)
    return [
        collect(f"{provider.name} ({key} is set)", _cards(provider, key), notes=[note]) for provider, key in keys if key
    ]


def _cards(provider: Provider, key: str) -> Iterator[Found]:
    for row in provider.models:
        model = row["model"]
        upstream = {"base_url": provider.base_url, "model": model, "api_key_env": key}
        name = f"{provider.name}/{model.rpartition('/')[2]}"
        yield Found(card=ModelCard.model_validate({"id": name, "upstream": upstream, **provider.known(model)}))
