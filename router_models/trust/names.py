"""Names in an array: numpy drops NULs at the end of a text, so each name carries a full stop there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt


def written(names: Iterable[str]) -> npt.NDArray[np.str_]:
    """The names (n,) as an array."""
    return np.array([f"{name}." for name in names], dtype=np.str_)


def read(array: npt.NDArray[Any]) -> list[str]:
    """What :func:`written` was given."""
    return [str(name)[:-1] for name in array]
