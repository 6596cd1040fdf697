"""Recorded outcomes: every model's quality, and cost where known, on every prompt."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class InvalidData(ValueError):
    """A file of recorded outcomes cannot be used; the message says where and why."""


class _Outcome(msgspec.Struct):
    quality: Annotated[float, msgspec.Meta(ge=0, le=1)]
    cost: Annotated[float, msgspec.Meta(ge=0)] | None = None


class _Row(msgspec.Struct):
    prompt: str
    outcomes: Annotated[dict[str, _Outcome], msgspec.Meta(min_length=1)]
    domain: str = ""
    split: str = ""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """n prompts and K models: ``quality`` (n, K) in [0, 1], ``cost`` (n, K) in USD or ``None`` where not recorded."""

    name: str
    digest: str
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    domains: tuple[str, ...]
    splits: tuple[str, ...]
    quality: Floats
    cost: Floats | None

    @classmethod
    def read(cls, path: Path) -> Recorded:
        """Read ``.jsonl`` or ``.jsonl.gz``. Raises :class:`InvalidData`."""
        try:
            content = path.read_bytes()
            lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
        except (OSError, EOFError) as error:
            raise InvalidData(f"{path} cannot be read: {error}") from error
        rows = list(_rows(lines, path.name))
        if len(rows) < 4:
            raise InvalidData(f"{path.name} has {len(rows)} rows; a replay needs at least 4")
        models = tuple(rows[0].outcomes)
        outcomes = [[row.outcomes[model] for model in models] for row in rows]
        costs = [[outcome.cost for outcome in row] for row in outcomes]
        return cls(
            name=path.name,
            digest=hashlib.sha256(content).hexdigest(),
            models=models,
            prompts=tuple(row.prompt for row in rows),
            domains=tuple(row.domain for row in rows),
            splits=tuple(row.split for row in rows),
            quality=np.array([[outcome.quality for outcome in row] for row in outcomes]),
            cost=None if costs[0][0] is None else np.array(costs, dtype=np.float64),
        )

    def without(self, models: Sequence[str]) -> Recorded:
        """Leave some models out. Raises :class:`InvalidData` for one that there is not, or if fewer than two stay."""
        if unknown := [model for model in models if model not in self.models]:
            raise InvalidData(f"{self.name} has no model {unknown[0]!r}; it has {', '.join(self.models)}")
        kept = [index for index, model in enumerate(self.models) if model not in models]
        if len(kept) < 2:
            raise InvalidData("at least two models must stay: routing is a choice")
        cost = None if self.cost is None else self.cost[:, kept]
        names = tuple(self.models[index] for index in kept)
        return replace(self, models=names, quality=self.quality[:, kept], cost=cost)

    def rows(self, split: str | None) -> Ints:
        """The rows of a split, or all. Raises :class:`InvalidData` if it has fewer than 4."""
        found = [row for row, name in enumerate(self.splits) if split is None or name == split]
        if len(found) < 4:
            known = ", ".join(sorted(set(self.splits) - {""})) or "none"
            raise InvalidData(f"{self.name}: split {split!r} has {len(found)} rows, 4 are needed; splits are {known}")
        return np.array(found)

    def best(self, rows: Ints) -> int:
        """The best single model in hindsight."""
        return int(self.quality[rows].mean(axis=0).argmax())


def _rows(lines: Iterable[bytes], name: str) -> Iterator[_Row]:
    """Decode and check line by line against the first."""
    decoder = msgspec.json.Decoder(_Row)
    models: set[str] = set()
    priced: bool | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidData(f"{name} line {number}: {error}") from error
        models = models or set(row.outcomes)
        if odd := sorted(models ^ set(row.outcomes)):
            state = "is missing" if odd[0] in models else "is not in the lines before"
            raise InvalidData(f"{name} line {number}: model {odd[0]!r} {state}; every line needs the same models")
        costs = {model: outcome.cost is not None for model, outcome in row.outcomes.items()}
        priced = next(iter(costs.values())) if priced is None else priced
        for model, given in costs.items():
            if given is not priced:
                state = "has no 'cost'" if priced else "has a 'cost'"
                raise InvalidData(f"{name} line {number}: model {model!r} {state}; give it everywhere or nowhere")
        yield row
