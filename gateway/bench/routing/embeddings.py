"""What policies see of a prompt: embedded with the gateway's embedder, kept on disk, made into its features."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.wording import WORDINGS
from gateway.space import Space
from router_models import traits

Matrix = npt.NDArray[np.float32]

CHUNK = 32
"""Texts embedded between two steps of the progress bar."""


def embedded(
    data: Recorded, space: Space, *, wording: str, folder: Path, jobs: int, step: Callable[[int], None]
) -> Matrix:
    """Embeddings (n, e) of all prompts, from ``folder`` if they are there; ``step`` hears how many more are ready."""
    name = f"{data.digest}/{space.embedder.fingerprint}/{wording}"
    path = folder / f"{Path(data.name).stem.partition('.')[0]}-{hashlib.sha256(name.encode()).hexdigest()[:24]}.npy"
    shape = (len(data.prompts), space.embedder.dimensions)
    if path.exists():
        kept: Matrix = np.load(path, allow_pickle=False)
        if kept.shape == shape and kept.dtype == np.float32:
            step(len(kept))
            return kept
    texts = [WORDINGS[wording](prompt) for prompt in data.prompts]

    def embed(chunk: Sequence[str]) -> Matrix:
        vectors = space.embedder.embed(chunk)
        step(len(chunk))
        return vectors

    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(embed, [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]))
    made = np.concatenate(parts)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.save(file, made)
    unfinished.replace(path)
    return made


def featured(data: Recorded, space: Space, embeddings: Matrix, *, wording: str) -> Matrix:
    """Features (n, d), made as the gateway makes them for a request of one turn."""
    texts = (WORDINGS[wording](prompt) for prompt in data.prompts)
    rows = [space.features(vector, traits(text)) for vector, text in zip(embeddings, texts, strict=True)]
    return np.stack(rows)
