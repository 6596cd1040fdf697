"""A place that models come from, and how several of them become one list."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from gateway.config import ModelCard

_LONGEST_ID = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A model for the configuration, with what a person should know about its card."""

    card: ModelCard
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A model that was seen but not taken, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What one place had to offer."""

    title: str
    found: tuple[Found, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def refusals(self) -> list[str]:
        """What was left out, a line for each reason."""
        names: dict[str, list[str]] = {}
        for item in self.left_out:
            names.setdefault(item.reason, []).append(item.name)
        return [f"{', '.join(group)}: {reason}" for reason, group in names.items()]


def collect(title: str, results: Iterable[Found | LeftOut], *, notes: Iterable[str] = ()) -> Source:
    """A source from mixed results, each kind in the order given."""
    results = list(results)
    return Source(
        title=title,
        found=tuple(result for result in results if isinstance(result, Found)),
        left_out=tuple(result for result in results if isinstance(result, LeftOut)),
        notes=tuple(notes),
    )


def merge(sources: Sequence[Source], *, taken: Iterable[str] = ()) -> list[Source]:
    """The sources with every id used once and every upstream kept once, earlier sources first.

    ``taken`` are ids that models outside the sources already have.
    """
    ids, seen = set(taken), dict[tuple[str, str], str]()
    return [_merged(source, ids=ids, seen=seen) for source in sources]


def _merged(source: Source, *, ids: set[str], seen: dict[tuple[str, str], str]) -> Source:
    found: list[Found] = []
    left_out = list(source.left_out)
    for item in source.found:
        where = (_address(item.card), item.card.upstream.model)
        if where in seen:
            left_out.append(LeftOut(name=item.card.id, reason=f"the same model at the same address as {seen[where]}"))
            continue
        name = next(candidate for candidate in numbered(item.card.id) if candidate not in ids)
        ids.add(name)
        seen[where] = name
        found.append(replace(item, card=item.card.model_copy(update={"id": name})))
    return replace(source, found=tuple(found), left_out=tuple(left_out))


def _address(card: ModelCard) -> str:
    """The base URL and key: the same server under another key is another deployment."""
    url = str(card.upstream.base_url).replace("://localhost", "://127.0.0.1").rstrip("/")
    return f"{url} {card.upstream.api_key_env}"


def numbered(name: str, *, joint: str = "-") -> Iterator[str]:
    """``name``, then ``name-2``, ``name-3``, and so on without end, none longer than an id may be."""
    yield name
    for number in itertools.count(2):
        suffix = f"{joint}{number}"
        yield name[: _LONGEST_ID - len(suffix)] + suffix


def model_id(name: str) -> str:
    """``name`` as a model id: allowed characters only, and never a name that asks the gateway to choose."""
    cleaned = re.sub(r"[^A-Za-z0-9._:/@+-]+", "-", name).lstrip("._:/@+-")[:_LONGEST_ID].rstrip("-")
    if not cleaned:
        return "model"
    return f"model-{cleaned}"[:_LONGEST_ID] if re.match(r"auto(:|$)", cleaned) else cleaned


def take(fields: Mapping[str, Any], *, notes: Iterable[str] = ()) -> Found | LeftOut:
    """The model whose card has these fields, or what is wrong with them."""
    try:
        return Found(card=ModelCard.model_validate(fields), notes=tuple(notes))
    except ValidationError as error:
        return LeftOut(name=str(fields["id"]), reason=faults(error))


def plain(text: str) -> str:
    """``text`` fit for a terminal or a comment: names come from servers and files that may hold anything."""
    return "".join(mark if mark.isprintable() else " " for mark in text)


def faults(error: ValidationError) -> str:
    """What is wrong, by field; never a value, which could be a secret."""
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors())
