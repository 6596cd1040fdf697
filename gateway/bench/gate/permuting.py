"""An exported file in which what is known of one model is told of another."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.npz import dump, text
from gateway.versions.exported import checksum, exported

FIRST: Final = ("priors", "covariance", "estimate", "excess", "trials")
SECOND: Final = ("surprise", "costs")
"""Arrays of the default policy by the axis that models are along."""


def permuted(archive: bytes, order: npt.NDArray[np.intp]) -> bytes:
    """The same file, in which model ``i`` is taken for model ``order[i]``; a sound file with a checksum of its own."""
    found = exported(archive)
    arrays = dict(found.arrays)
    for axis, names in enumerate((FIRST, SECOND)):
        arrays |= {name: np.take(arrays[name], order, axis=axis) for name in names}
    known = arrays["memory_arms"]
    arrays["memory_arms"] = np.where(known >= 0, np.argsort(order)[known], known).astype(known.dtype)
    manifest = msgspec.structs.replace(found.manifest, checksum=checksum(arrays))
    named = {f"state/{name}": arrays[name] for name in sorted(arrays)}
    return dump({"manifest": text(msgspec.to_builtins(manifest)), **named})


def derangement(models: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """An order in which no model stays what it is. Raises ``ValueError`` for fewer than two."""
    if models < 2:
        raise ValueError("one model alone cannot be taken for another")
    while True:
        order = rng.permutation(models)
        if (order != np.arange(models)).all():
            return order
