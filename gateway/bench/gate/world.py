"""Requests of which every model's outcome is known: made up, or recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from gateway.bench.routing.recorded import Recorded

TOPICS: Final = {
    "numbers": "add subtract multiply fraction percent equation root sum remainder ratio integer decimal average",
    "law": "contract clause tenant liability court appeal statute witness plaintiff verdict notary breach damages",
    "kitchen": "simmer flour oven garlic butter knead whisk roast salt broth pepper dough skillet",
    "code": "function compile loop array pointer exception variable recursion library debugger syntax thread cache",
    "garden": "prune seedling compost tulip mulch soil fertiliser hedge greenhouse weed blossom watering orchard",
    "music": "chord melody rhythm violin sonata tempo harmony orchestra flute scale concerto drum chorus",
}
"""Words of six topics, each a model's own."""

LEVEL: Final = (0.25, 0.45)
SKILL: Final = 0.4
"""How often an answer is right off its model's topic, from the worst model to the best, and how much oftener on it."""

WORDS: Final = 12


def made(requests: int, *, seed: int) -> Recorded:
    """So many requests, each on one topic, and whether each model's answer would be right."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(len(TOPICS), size=requests)
    vocabulary = [words.split() for words in TOPICS.values()]
    prompts = [" ".join(rng.choice(vocabulary[topic], WORDS)) for topic in topics]
    levels = rng.permutation(np.linspace(*LEVEL, len(TOPICS)))
    chances = levels + SKILL * np.eye(len(TOPICS))[topics]
    quality = (rng.random(chances.shape) < chances).astype(np.float64)
    names = tuple(TOPICS)
    return Recorded(
        name="made",
        digest=hashlib.sha256(quality.tobytes()).hexdigest(),
        models=tuple(f"model-{name}" for name in names),
        prompts=tuple(prompts),
        domains=tuple(names[topic] for topic in topics),
        splits=("",) * requests,
        quality=quality,
        cost=None,
    )


def drawn(data: Recorded, rows: int, *, seed: int) -> Sequence[int]:
    """Which requests come, in order: each once, and again from the start where there are too few."""
    order = np.random.default_rng(seed).permutation(len(data.prompts))
    found: list[int] = np.resize(order, rows).tolist()
    return found
