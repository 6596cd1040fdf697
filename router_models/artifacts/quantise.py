"""Symmetric int8 with one scale for each row: an output channel of a matrix, or a token of a table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

LARGEST: Final = 127


def rows(matrix: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Split (n, m) into int8 (n, m) and float32 scales (n, 1), so that their product is close to it."""
    exact = matrix.astype(np.float64)
    scales = np.maximum(np.abs(exact).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / LARGEST
    return np.rint(exact / scales).astype(np.int8), scales.astype(np.float32)
