"""Exported states with what they know of their arms mixed up."""

from __future__ import annotations

import numpy as np

from gateway.bench.gate import permuting
from gateway.versions.exported import exported


def permuted(archive: bytes, *, turn: int = 1) -> bytes:
    """The same file, in which what is known of one arm is told of the one ``turn`` places on."""
    arms = len(exported(archive).manifest.arms)
    return permuting.permuted(archive, np.roll(np.arange(arms), turn))
