"""What the MiniLM embedder does alone, in one thread: the yardstick for the gateway that embeds with it.

Run as ``python -m gateway.bench.overhead.embedder SECONDS``; prints texts a second.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from time import perf_counter

from gateway.bench.overhead.prompts import Prompts

FIRST = 1 << 50
"""Prompts from here on are asked nowhere else."""


def texts_per_second(*, seconds: float) -> float:
    """Measured in a process of its own, where nothing else runs."""
    command = [sys.executable, "-m", "gateway.bench.overhead.embedder", str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Embed prompts one at a time and print how many a second."""
    from router_models.embedders import MiniLM

    embedder, prompts, seconds = MiniLM(), Prompts(), float(sys.argv[1])
    embedder.embed([prompts.text(FIRST - 1)])
    started = perf_counter()
    for done in count(1):
        embedder.embed([prompts.text(FIRST + done)])
        took = perf_counter() - started
        if took >= seconds:
            print(done / took)
            return


if __name__ == "__main__":
    main()
