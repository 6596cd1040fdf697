"""An embedder behind an OpenAI-compatible ``/embeddings`` endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import httpx
import numpy as np

from router_models.embedders import Matrix

#: Characters of a text that are sent.
TEXT_LIMIT = 8_000


class EmbedderUnavailable(RuntimeError):
    """The endpoint did not give embeddings."""


class RemoteEmbedder:
    """Calls ``url`` (a base such as ``http://127.0.0.1:11434/v1``) from the embedding thread."""

    name = "remote"
    instant = False

    def __init__(self, *, url: str, model: str, key: str | None = None, timeout_s: float = 10.0) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout_s)
        self._model = model
        self.fingerprint = "remote:" + hashlib.sha256(f"{url}|{model}".encode()).hexdigest()[:16]

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector, learned by asking once."""
        return int(self._ask(["dimensions"]).shape[1])

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Embed n texts: float32 (n, e), unit rows. Raises :class:`EmbedderUnavailable`."""
        return self._ask([text[:TEXT_LIMIT] or " " for text in texts])

    def _ask(self, texts: list[str]) -> Matrix:
        try:
            answer = self._client.post("/embeddings", json={"model": self._model, "input": texts})
            answer.raise_for_status()
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise EmbedderUnavailable(f"the embeddings endpoint {self._client.base_url} failed: {error}") from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise EmbedderUnavailable(f"the embeddings endpoint {self._client.base_url} gave no usable vectors")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)
