"""A seeded sequence of different prompts in which every stretch has the same mix of kinds."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import Final

from gateway.bench.demo.tasks import MAKERS, Task

DECK: Final = {"sums": 4, "reviews": 4, "texts": 3, "chat": 4, "spelling": 2, "code": 2, "units": 2}
"""How often each kind comes within one deck of prompts."""

PATIENCE: Final = 100


def mixed(count: int, *, seed: int, kinds: Collection[str] = DECK.keys()) -> list[Task]:
    """``count`` tasks of these kinds: one shuffled deck after another, so that thirds compare.

    No prompt comes twice while new ones are easily found, which is for some thousand.
    """
    random = Random(seed)
    deck = [kind for kind in DECK if kind in kinds for _ in range(DECK[kind])]
    seen: set[str] = set()
    tasks: list[Task] = []
    while len(tasks) < count:
        for kind in random.sample(deck, len(deck)):
            tasks.append(_new(random, kind, seen))
            seen.add(tasks[-1].prompt)
    return tasks[:count]


def _new(random: Random, kind: str, seen: Collection[str]) -> Task:
    """A task whose prompt is not among ``seen``, or after many tries any."""
    for _ in range(PATIENCE):
        task = MAKERS[kind](random)
        if task.prompt not in seen:
            break
    return task
