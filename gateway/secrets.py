"""Secrets that the configuration names: an environment variable, or a file."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.config import ConfigurationError


def named_secret(*, owner: str, variable: str | None = None, file: Path | None = None) -> str | None:
    """The secret, or ``None`` where none is named. Raises :class:`ConfigurationError` where it is missing."""
    if variable is not None:
        value = os.environ.get(variable)
        if not value:
            raise ConfigurationError(f"{owner}: the environment variable {variable} is not set")
        return value
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{owner}: its key file cannot be read: {error}") from error
    return None
