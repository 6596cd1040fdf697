"""Names a vector space by everything that shapes it: the files' bytes, the settings, the code's version."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DIGITS: Final = 16
VERSION: Final = 1
"""To be raised when a change of code gives some text another vector for the same files and settings."""


def fingerprint(name: str, *, files: Sequence[Path] = (), settings: Sequence[str | int] = ()) -> str:
    """``name-`` and 16 hexadecimal digits: equal for equal content in equal order, on every machine."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    for setting in (VERSION, *settings):
        digest.update(f"{setting}\0".encode())
    return f"{name}-{digest.hexdigest()[:DIGITS]}"
