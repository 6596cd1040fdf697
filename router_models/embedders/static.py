"""A table of token vectors, averaged: an embedding in microseconds, with weaker semantics than a transformer's.

The table distils all-MiniLM-L6-v2 (``router_models/artifacts/table.py``). Each token's importance is part of its
vector, so a text's embedding is the plain sum of its tokens' vectors, scaled to unit length.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from router_models.artifacts import FOLDER
from router_models.embedders.embedder import Matrix
from router_models.embedders.excerpt import Excerpt
from router_models.embedders.fingerprint import fingerprint
from router_models.embedders.wordpiece import ID, WordPieces

EMPTY: Final = "."


class Static:
    """Loads in the constructor, about 50 ms; the table (8 MB) is mapped from its file and shared by processes.

    ``folder`` holds ``static.npy`` (int8, v x e), ``static-scales.npy`` (float32, v) and ``tokenizer.json``, by
    default the ones in this package.
    """

    name: ClassVar[str] = "static"
    dimensions: ClassVar[int] = 256
    instant: ClassVar[bool] = True

    def __init__(self, *, folder: Path = FOLDER, head: int = 256, tail: int = 128) -> None:
        codes, scales, tokenizer = (folder / file for file in ("static.npy", "static-scales.npy", "tokenizer.json"))
        self.fingerprint = fingerprint(self.name, files=[codes, scales, tokenizer], settings=[head, tail])
        self._excerpt = Excerpt(head=head, tail=tail)
        self._pieces = WordPieces(Tokenizer.from_file(str(tokenizer)))
        self._empty = self._pieces.encode(EMPTY)
        self._codes: npt.NDArray[np.int8] = np.asarray(np.load(codes, mmap_mode="r"))
        self._scales: npt.NDArray[np.float32] = np.load(scales)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """See :class:`~router_models.embedders.embedder.Embedder`. A text without tokens embeds as a full stop."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            found = self._pieces.encode(self._excerpt.text(text)) or self._empty
            ids = np.frombuffer(self._excerpt.tokens(found, width=ID), dtype="<u2").astype(np.intp)
            total = self._scales.take(ids).dot(self._codes.take(ids, axis=0).astype(np.float32))
            vectors[row] = total / np.sqrt(total.dot(total))
        return vectors
