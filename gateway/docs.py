"""The README's tables, generated from the code: ``python -m gateway.docs`` writes them, a test compares them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway import __version__
from gateway.config import (
    Configuration,
    Corrections,
    Limits,
    Metric,
    ModelCard,
    Override,
    Preference,
    Price,
    Routing,
    Tenant,
    Upstream,
)
from gateway.metrics import Metrics
from gateway.openapi import document
from gateway.settings import Settings


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _default(value: Any) -> str:
    if value is None or value is PydanticUndefined:
        return ""
    return f"`{value}`" if isinstance(value, str | int | float | bool | Path) and str(value) else ""


def settings() -> str:
    """Every environment variable."""
    rows = (
        (f"`POLYCULTURE_{name.upper()}`", _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return _table(("Variable", "Default", "Meaning"), rows)


def configuration() -> str:
    """Every field of the configuration file."""
    sections: list[tuple[str, type[BaseModel]]] = [
        ("", Configuration),
        ("models[].", ModelCard),
        ("models[].upstream.", Upstream),
        ("models[].price.", Price),
        ("overrides.<model>.", Override),
        ("routing.", Routing),
        ("routing.preferences.<name>.", Preference),
        ("metrics.<name>.", Metric),
        ("tenants[].", Tenant),
        ("tenants[].limits.", Limits),
        ("tenants[].corrections.", Corrections),
    ]
    rows = (
        (f"`{prefix}{name}`", _default(field.default), field.description or "")
        for prefix, section in sections
        for name, field in section.model_fields.items()
        if field.description
    )
    return _table(("Field", "Default", "Meaning"), rows)


def endpoints() -> str:
    """Every path of the published description."""
    rows = (
        (f"`{method.upper()} {path}`", operation["summary"])
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    )
    return _table(("Endpoint", "What it does"), rows)


def metrics() -> str:
    """Every metric of our own; those of the process are Prometheus' usual ones, where the system tells them."""
    declared = Metrics(version=__version__).registry.collect()
    own = (family for family in declared if not family.name.startswith("polyculture_process_"))
    rows = ((f"`{family.name}`", family.type, family.documentation) for family in own)
    return _table(("Metric", "Type", "Meaning"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "configuration": configuration,
    "settings": settings,
    "endpoints": endpoints,
    "metrics": metrics,
}


def rendered(text: str) -> str:
    """The text with every table between its markers made anew."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        block = f"{begin}\n{make()}\n{end}"
        text = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: block, text, flags=re.DOTALL)  # noqa: B023
    return text


if __name__ == "__main__":
    readme = Path(__file__).parent.parent / "README.md"
    readme.write_text(rendered(readme.read_text(encoding="utf-8")), encoding="utf-8")
