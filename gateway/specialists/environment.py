"""What a process of the specialists may know of this one's environment: nothing that could hold a secret."""

from __future__ import annotations

import os
import sys

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def environment() -> dict[str, str]:
    """Where to import from, how few threads to use, and that onnxruntime tells its maker nothing."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return {"PYTHONPATH": paths, "MALLOC_ARENA_MAX": "2", "ORT_DISABLE_TELEMETRY": "1", **dict.fromkeys(_THREADS, "1")}
