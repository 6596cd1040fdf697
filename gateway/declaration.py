"""A configuration file, checked before a gateway is given it: every fault with its line, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from gateway.config import Configuration, ConfigurationError
from gateway.lineage import parameters
from gateway.secrets import named_secret
from gateway.transport import Origin


class Fault(NamedTuple):
    """Something that a gateway would not start with."""

    line: int
    what: str


class Declaration(NamedTuple):
    """What a file says, where that can be told, and what is wrong with it; ``blank`` is one that says nothing."""

    configuration: Configuration | None
    faults: list[Fault]
    blank: bool = False


def examine(path: Path, *, secrets: bool = False) -> Declaration:
    """Check a file as a start would; with ``secrets``, also that those it names are there. Raises ``OSError``."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Declaration(None, [Fault(mark.line + 1 if mark else 1, f"is not YAML: {error.problem}")])
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        return Declaration(None, [Fault(1, f"is not YAML: {error}")])
    try:
        configuration = Configuration.of(document)
    except ValidationError as error:
        return Declaration(None, [_located(root, each["loc"], each["msg"]) for each in error.errors()])
    found = [Fault(_line(root, where), what) for where, what in _refused(configuration, secrets=secrets)]
    return Declaration(configuration, found, blank=document is None)


def _refused(configuration: Configuration, *, secrets: bool) -> Iterator[tuple[Sequence[str | int], str]]:
    """What only the parts of a gateway would find, and where."""
    try:
        parameters(configuration.routing)
    except ConfigurationError as error:
        yield ("routing",), str(error)
    for place, card in enumerate(configuration.models):
        upstream, owner = card.upstream, f"model {card.id}"
        try:
            if upstream.kind == "openai":
                Origin(str(upstream.base_url))
        except ValueError as error:
            yield ("models", place, "upstream", "base_url"), f"{owner}: {error}"
        if secrets:
            yield from _missing(("models", place, "upstream"), owner, upstream.api_key_env, upstream.api_key_file)
    if secrets:
        for place, tenant in enumerate(configuration.tenants):
            yield from _missing(("tenants", place), f"tenant {tenant.id}", tenant.key_env)


def _missing(
    where: Sequence[str | int], owner: str, variable: str | None, file: Path | None = None
) -> Iterator[tuple[Sequence[str | int], str]]:
    try:
        named_secret(owner=owner, variable=variable, file=file)
    except ConfigurationError as error:
        yield where, str(error)


def _located(root: yaml.Node | None, where: Sequence[str | int], what: str) -> Fault:
    name = ".".join(map(str, where))
    return Fault(_line(root, where), f"{name}: {what}" if name else what)


def _line(node: yaml.Node | None, where: Sequence[str | int]) -> int:
    """The line of the innermost part of the file that is on the way to ``where``."""
    line = 1
    for step in where:
        mark, node = _step(node, step)
        if mark is None:
            break
        line = mark.line + 1
    return line


def _step(node: yaml.Node | None, step: str | int) -> tuple[Any, yaml.Node | None]:
    """Where an item begins, and the item."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None, None
