"""Exported states with what they know of their arms mixed up."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.npz import dump, text
from gateway.versions.exported import _checksum, exported


def permuted(archive: bytes, *, turn: int = 1) -> bytes:
    """The same file, in which what is known of one arm is told of the one ``turn`` places on."""
    found = exported(archive)
    arrays = dict(found.arrays)
    for name in ("covariance", "estimate"):
        arrays[name] = np.roll(arrays[name], turn, axis=0)
    known, arms = arrays["memory_arms"], len(found.manifest.arms)
    arrays["memory_arms"] = np.where(known >= 0, (known + turn) % arms, known)
    manifest = msgspec.structs.replace(found.manifest, checksum=_checksum(arrays))
    named = {f"state/{name}": arrays[name] for name in sorted(arrays)}
    return dump({"manifest": text(msgspec.to_builtins(manifest)), **named})
