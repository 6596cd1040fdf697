"""What is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

MEASURED = """
import sys
import psutil
from gateway import heap

def resident():
    return psutil.Process().memory_info().rss / 1e6

heap.tame()
for size in (3_000_000, 30_000_000):  # glibc would take the first as a hint to keep the second
    del [bytes(size)][:]
small = [bytes(20_000) for _ in range(4_000)]
kept = small[::100]
del small
before = resident()
heap.trim()
print(before, resident())
"""


def test_what_was_freed_among_what_is_kept_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert after < before - 40
