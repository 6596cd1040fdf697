"""Who is asking: API keys, hashed at rest, looked up in memory."""

from __future__ import annotations

from gateway.keys.principal import DEFAULT_TENANT, KeyScope, Principal
from gateway.keys.ring import KeyRing
from gateway.keys.secret import digest, generate
from gateway.keys.store import Ensured, ensure, load, retire
from gateway.keys.terms import NewKey, Power, Terms

__all__ = [
    "DEFAULT_TENANT",
    "Ensured",
    "KeyRing",
    "KeyScope",
    "NewKey",
    "Power",
    "Principal",
    "Terms",
    "digest",
    "ensure",
    "generate",
    "load",
    "retire",
]
