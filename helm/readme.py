"""The table of values in the chart's README."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from helm.values import CHART, documented

FILE: Final = CHART / "README.md"


def table() -> str:
    """Every commented value."""
    rows = [f"| `{'.'.join(value.path)}` | {_shown(value.default)} | {value.comment} |" for value in documented()]
    return "\n".join(("| Value | Default | Meaning |", "| --- | --- | --- |", *rows))


def rendered(text: str) -> str:
    """The text with the table between its markers made anew."""
    block = f"<!-- values:begin -->\n{table()}\n<!-- values:end -->"
    return re.sub(r"<!-- values:begin -->.*?<!-- values:end -->", lambda _: block, text, flags=re.DOTALL)


def _shown(default: Any) -> str:
    return "" if default in ("", [], {}) else f"`{json.dumps(default)}`"
