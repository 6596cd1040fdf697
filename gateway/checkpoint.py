"""A tenant's state in place of its events, where those are not kept for ever."""

from __future__ import annotations

from typing import NamedTuple

from gateway.events import Checkpoint
from gateway.npz import Contents, document, dump, read, text
from gateway.tenants import Named, Tenants


class Kept(NamedTuple):
    """What a checkpoint holds: the tenant's arrays, the policies they are of, and what it had learned up to where."""

    policy: Named
    shadow: Named | None
    learned: int
    arrays: Contents


def checkpoint(tenants: Tenants, tenant: str, *, learned: int) -> Checkpoint:
    """The event to write at the place of the last event that is dropped; ``tenants`` is the fold up to there.

    Raises ``KeyError`` for a tenant without a state.
    """
    manifest = {"policy": tenants.live, "shadow": tenants.second, "learned": learned}
    return Checkpoint(archive=dump({"manifest": text(manifest), **tenants.states[tenant].arrays()}))


def kept(event: Checkpoint) -> Kept:
    """What it holds."""
    arrays = read(event.archive)
    manifest = document(arrays.pop("manifest"))
    shadow = manifest["shadow"]
    return Kept(Named(*manifest["policy"]), None if shadow is None else Named(*shadow), manifest["learned"], arrays)
