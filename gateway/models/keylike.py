"""Finding what looks like a secret where none belongs: a card names keys, and never holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: How well-known keys begin, tokens and key files, and long strings of letters and digits that are no checksum.
_KEYS = re.compile(
    r"\b(?:sk|pk|rk|pc|pca|gsk|xai|hf|gh[opusr]|glpat|github_pat|npm|nvapi|r8|xox[abprs])[-_](?=[\w-]*\d)[\w-]{12,}"
    r"|\bAKIA[0-9A-Z]{12,}|\bAIza[\w-]{20,}|\beyJ[\w-]{8,}\.[\w-]{8,}|-----BEGIN |\bbearer\s+\S{8,}|://[^/\s]*@"
    r"|(?<!sha256:)\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}\b",
    re.IGNORECASE,
)

#: What an environment variable may be called, in upper case as is the custom: few keys look like that.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")

#: The gateway's own variables, which hold its own secrets.
_OWN = "POLYCULTURE_"


def keylike(document: Any) -> str | None:
    """Where, by its path, a card's document holds something like a key; ``None`` where it holds none."""
    return next((path for path, text in _texts(document) if _refused(path, text)), None)


def nameable(variable: str) -> bool:
    """Whether this is what environment variables are called, rather than a secret."""
    return _VARIABLE.fullmatch(variable) is not None and keylike(variable) is None


def _refused(path: str, text: str) -> bool:
    if path == "upstream.api_key_env" and (not _VARIABLE.fullmatch(text) or text.startswith(_OWN)):
        return True
    return _KEYS.search(text) is not None


def _texts(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text within, names included, with the path of what it is a part of."""
    if isinstance(document, str):
        yield path, document
    elif isinstance(document, dict):
        for name, value in document.items():
            yield path, str(name)
            yield from _texts(value, f"{path}.{name}" if path else str(name))
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value, path)
