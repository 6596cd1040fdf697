"""Who told an outcome, as a number that learning can bear in mind, and how honest each such source is held to be."""

from __future__ import annotations

import hashlib

import numpy as np

from router_models.policy import Credit
from router_models.trust import Trust


def number(tenant: str, source: str) -> int:
    """A source's number, never 0; different for each tenant, so that the pool tells them apart."""
    digest = hashlib.blake2b(f"{tenant}\n{source}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) | 1


def credit(tenant: str, trust: Trust) -> Credit | None:
    """How honest each of a tenant's sources is held to be; none where none is known."""
    believed = trust.believed()
    if not believed:
        return None
    numbers = np.array([number(tenant, source) for source in believed])
    order = np.argsort(numbers)
    return Credit(sources=numbers[order], honesty=np.array(list(believed.values()))[order])
