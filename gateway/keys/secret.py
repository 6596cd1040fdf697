"""Secrets: made once, shown once, and known by their digests from then on."""

from __future__ import annotations

import hashlib
import secrets

from gateway.keys.principal import KeyScope


def digest(secret: str | bytes) -> bytes:
    """What is stored of a key: keys are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()


def generate(scope: KeyScope) -> str:
    """A new secret of 192 random bits."""
    return f"{prefix(scope)}{secrets.token_urlsafe(24)}"


def prefix(scope: KeyScope) -> str:
    """What the secrets of such keys begin with."""
    return "pca-" if scope == "admin" else "pc-"


def name_of(key: bytes) -> str:
    """The id of a key that has none in the database: made from its digest, and not telling it."""
    return f"key_{hashlib.sha256(b'key id' + key).hexdigest()[:16]}"
