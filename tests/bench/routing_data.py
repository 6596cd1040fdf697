"""Small recorded outcomes that the routing benchmark's tests make themselves: two kinds of prompt, three models."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from gateway.bench.routing.contenders import Material
from gateway.bench.routing.recorded import Recorded
from router_models.features import TRAITS

SUMS, SONNETS, BOTH = "org/sums", "sonnets", "both"
WORDS = {"maths": "Add {} and {}, please.", "verse": "Write verse {} of poem {}."}


def rows(count: int = 80, *, costs: bool = True) -> list[dict[str, Any]]:
    """One model is good at sums, one at verse, and one is fair at both; the good ones cost more."""
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        domain = "maths" if random.random() < 0.5 else "verse"
        skill = {SUMS: 0.9 if domain == "maths" else 0.2, SONNETS: 0.2 if domain == "maths" else 0.8, BOTH: 0.5}
        outcomes: dict[str, dict[str, float]] = {
            model: {"quality": float(random.random() < chance)} for model, chance in skill.items()
        }
        if costs:
            for model, usd in ((SUMS, 1e-3), (SONNETS, 2e-3), (BOTH, 1e-5)):
                outcomes[model]["cost"] = usd
        prompt = WORDS[domain].format(number, number % 7)
        split = "val" if number % 4 == 0 else "test"
        made.append({"prompt": prompt, "domain": domain, "split": split, "outcomes": outcomes})
    return made


def written(folder: Path, made: list[dict[str, Any]] | None = None, *, name: str = "small.jsonl.gz") -> Path:
    """A file of outcomes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in (rows() if made is None else made)).encode()
    path = folder / name
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def material(data: Recorded, *, width: int = 4) -> Material:
    """Embeddings and features that tell the two kinds of prompt apart."""
    random = np.random.default_rng(1)
    kind = np.array([[1.0, 0.0] if domain == "maths" else [0.0, 1.0] for domain in data.domains])
    embeddings = np.hstack([kind, 0.2 * random.standard_normal((len(kind), width - 2))]).astype(np.float32)
    ones = np.ones((len(kind), 1), dtype=np.float32)
    features = np.hstack([ones, embeddings, np.zeros((len(kind), TRAITS), dtype=np.float32)])
    wordings = ("plain", "typos", "punctuation")
    return Material(
        data=data,
        embedder="small",
        embeddings=dict.fromkeys(wordings, embeddings),
        features=dict.fromkeys(wordings, features),
    )
