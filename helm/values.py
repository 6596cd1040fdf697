"""The chart's values with their comments, the one place where they are told about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parent / "polyculture"


class Value(NamedTuple):
    """One commented value: its path from the top, what it is by default, and its comment."""

    path: tuple[str, ...]
    default: Any
    comment: str


def documented() -> list[Value]:
    """Every value that has a comment right above it, in the file's order."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    return list(_walk(yaml.compose(text), yaml.safe_load(text), text.splitlines(), ()))


def undocumented() -> list[str]:
    """Values that are neither commented nor within one that is."""
    told = {value.path for value in documented()}
    return [
        ".".join(path) for path in _leaves(defaults(), ()) if not any(path[:n] in told for n in range(len(path) + 1))
    ]


def defaults() -> dict[str, Any]:
    """The values as they are when nobody says otherwise."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return found


def _walk(node: yaml.Node | None, data: Any, lines: list[str], above: tuple[str, ...]) -> Iterator[Value]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, child in node.value:
        path, value = (*above, key.value), data[key.value]
        comment = _comment(lines, key.start_mark.line)
        if comment:
            yield Value(path, value, comment)
        else:
            yield from _walk(child, value, lines, path)


def _comment(lines: list[str], line: int) -> str:
    """The comment lines right above a line, as one."""
    found: list[str] = []
    while line and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        found.insert(0, lines[line].lstrip()[1:].strip())
    return " ".join(found)


def _leaves(data: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _leaves(value, (*above, key))
    else:
        yield above
