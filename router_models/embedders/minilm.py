"""all-MiniLM-L6-v2 with int8 weights on onnxruntime: the default embedder, milliseconds a text on one CPU thread."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from router_models.artifacts import FOLDER
from router_models.embedders.embedder import Matrix
from router_models.embedders.excerpt import Excerpt
from router_models.embedders.fingerprint import fingerprint

CPU_INFO: Final = Path("/proc/cpuinfo")


def may_saturate(info: Path = CPU_INFO) -> bool:
    """Whether this CPU's int8 products may overflow: x86 without VNNI instructions, and any x86 that cannot be asked.

    There onnxruntime can be exact at two and a half times the cost; with VNNI it is exact anyway.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return not {"avx512_vnni", "avx_vnni"} & set(info.read_text().split())
    except OSError:
        return True


class MiniLM:
    """Loads in the constructor, about 60 ms.

    At most 254 tokens are read: the model was trained on 256, two of which mark the start and the end.
    ``folder`` holds ``minilm.onnx`` and ``tokenizer.json``, by default the ones in this package.
    """

    name: ClassVar[str] = "minilm"
    dimensions: ClassVar[int] = 384
    instant: ClassVar[bool] = False

    def __init__(self, *, folder: Path = FOLDER, head: int = 190, tail: int = 64) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # when loaded without, it reports to its maker

        import onnxruntime
        from tokenizers import Tokenizer

        self._excerpt = Excerpt(head=head, tail=tail)
        if head + tail > 254:
            raise ValueError(f"MiniLM reads at most 254 tokens, not head + tail = {head + tail}")
        graph, tokenizer = folder / "minilm.onnx", folder / "tokenizer.json"
        self.fingerprint = fingerprint(self.name, files=[graph, tokenizer], settings=[head, tail])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._start = self._tokenizer.token_to_id("[CLS]")
        self._end = self._tokenizer.token_to_id("[SEP]")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        if may_saturate():
            options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> Matrix:
        """See :class:`~router_models.embedders.embedder.Embedder`. An empty text embeds as its two markers alone."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            found = self._tokenizer.encode(self._excerpt.text(text), add_special_tokens=False).ids
            ids = np.array([[self._start, *self._excerpt.tokens(found), self._end]], dtype=np.int64)
            vectors[row] = self._session.run(["embedding"], {"ids": ids})[0][0]
        return vectors
