"""BERT's WordPiece tokenisation at dictionary speed, on top of the ``tokenizers`` library.

BERT tokenises what stands between white space independently, so a text is cut there and each chunk's tokens are
remembered. A new chunk is cut further, at punctuation and around ideographs. What is then plain goes straight to the
library's WordPiece model; the rest goes through its whole pipeline, which costs ten times as much.
"""

from __future__ import annotations

import re
from typing import Final

from tokenizers import Tokenizer

UPPER: Final = bytes(range(ord("A"), ord("Z") + 1))
LOWERED: Final = bytes.maketrans(UPPER, UPPER.lower())
SPACES: Final = b"\t\n\r"
CONTROLS: Final = bytes(code for code in (*range(32), 127) if code not in SPACES)
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = "\u4e00", "\u9fa5"
ALONE: Final = rf"!-/:-@\[-`{{-~{FIRST_IDEOGRAPH}-{LAST_IDEOGRAPH}"
"""ASCII punctuation and common ideographs: tokens by themselves wherever they stand, and unchanged by normalising."""

PARTS: Final = re.compile(f"[{ALONE}]|[^{ALONE}]+")

REMEMBERED_CHUNKS: Final = 1 << 15
REMEMBERED_LENGTH: Final = 40
ID: Final = 2
"""Bytes a token id takes, little-endian: joining bytes is the fastest way there is to gather ids."""


class WordPieces(dict[bytes, bytes]):
    """Chunks to their tokens' ids, ``ID`` bytes each; a chunk not seen before is tokenised when asked for.

    Bounded: it holds ``REMEMBERED_CHUNKS`` chunks of at most ``REMEMBERED_LENGTH`` bytes and then starts anew.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._model = tokenizer.model

    def encode(self, text: str) -> bytes:
        """The ids of a text's tokens; lone surrogates count as ``?``."""
        chunks = text.encode(errors="replace").translate(LOWERED, CONTROLS).split()
        return b"".join(map(self.__getitem__, chunks))

    def __missing__(self, chunk: bytes) -> bytes:
        ids = self._tokenise(chunk)
        if len(chunk) <= REMEMBERED_LENGTH:
            if len(self) >= REMEMBERED_CHUNKS:
                self.clear()
            self[chunk] = ids
        return ids

    def _tokenise(self, chunk: bytes) -> bytes:
        first, *others = PARTS.findall(chunk.decode())
        if others:
            return b"".join(self[part.encode()] for part in (first, *others))
        if first.isascii() or FIRST_IDEOGRAPH <= first <= LAST_IDEOGRAPH:
            ids = [token.id for token in self._model.tokenize(first)]
        else:
            ids = self._tokenizer.encode(first, add_special_tokens=False).ids
        return b"".join(number.to_bytes(ID, "little") for number in ids)
