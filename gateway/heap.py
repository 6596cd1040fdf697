"""The C library's heap: what is freed goes back to the system, so that a process is not as large as it ever was.

glibc, mallopt(3) and malloc_trim(3); other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8

LARGE: Final = 1 << 20
"""Bytes from which an array is mapped by itself, and so given back when it is freed."""

EMBEDDED: Final = 1 << 23
"""The same where a network embeds texts: pages for its arrays would else be made anew for each text."""

ARENAS: Final = 2
"""Heaps that threads share."""


def tame(large: int = LARGE) -> None:
    """Map large arrays by themselves, however many came before, and let threads share few heaps; call early."""
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        option(_MMAP_THRESHOLD, large)
        option(_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back what is free, in a few milliseconds."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)
