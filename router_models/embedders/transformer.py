"""Any sentence-transformers model, where that extra is installed: it brings torch, so hundreds of megabytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from router_models.embedders.embedder import Matrix
from router_models.embedders.excerpt import Excerpt
from router_models.embedders.fingerprint import fingerprint

FAMILY: Final = "sentence-transformers"
LONGEST: Final = 512
"""Tokens read at most, however many the model takes: a router needs the gist, not every page."""


class Transformer:
    """Loads in the constructor, in seconds.

    ``model`` is a name on the model hub, or a folder. Raises ``ImportError``, saying what to install, without the
    extra, and whatever the library raises for a model that it cannot load.
    """

    instant: ClassVar[bool] = False

    def __init__(self, *, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ImportError(
                f"the embedder {FAMILY}:{model} needs a package that is not installed: "
                f"pip install 'polyculture[{FAMILY}]'"
            ) from error
        self.name = f"{FAMILY}:{model}"
        self._model = SentenceTransformer(model)
        tokens = min(self._model.max_seq_length or LONGEST, LONGEST)
        # The library cuts off at the end: an excerpt of two thirds leaves its tail before the cut in most texts.
        self._excerpt = Excerpt(head=max(tokens // 2, 1), tail=tokens // 6)
        self.dimensions = len(self._encode("."))
        self.fingerprint = fingerprint(FAMILY, settings=[self._checksum(), tokens])

    def embed(self, texts: Sequence[str]) -> Matrix:
        """See :class:`~router_models.embedders.embedder.Embedder`."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._encode(text)
        return vectors

    def _encode(self, text: str) -> Matrix:
        encoded = self._model.encode(self._excerpt.text(text), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(encoded, dtype=np.float32)

    def _checksum(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()
