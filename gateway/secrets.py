"""Secrets that the configuration names: an environment variable, or a file."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.config import ConfigurationError
from gateway.models.keylike import keylike, nameable

#: The longest secret, in characters.
LONGEST = 16_384


def named_secret(*, owner: str, variable: str | None = None, file: Path | None = None) -> str | None:
    """The secret, or ``None`` where none is named. Raises :class:`ConfigurationError` where it is missing.

    What was named is not told where it looks like the secret itself, written in the wrong place.
    """
    if variable is not None:
        value = os.environ.get(variable)
        if not value:
            named = variable if nameable(variable) else "that it names"
            raise ConfigurationError(f"{owner}: the environment variable {named} is not set")
        return value
    if file is not None:
        try:
            return _line(file)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{owner}: its key file cannot be read: {error}") from error
    return None


def _line(file: Path) -> str:
    """The one line that a regular file holds. Raises ``OSError`` and ``ValueError``."""
    if not file.is_file():
        raise ValueError("there is no such file" if keylike(str(file)) is not None else f"there is no file {file}")
    with file.open(encoding="utf-8") as lines:
        text = lines.read(LONGEST + 1).strip()
    if not text.isprintable() or not 0 < len(text) <= LONGEST:
        raise ValueError(f"{file} does not hold one line of text")
    return text
