"""BERT in float64 numpy: the reference that every artifact is measured against and the table is made with.

Devlin et al., "BERT" (2019); sentence embeddings by mean pooling as in Reimers and Gurevych, "Sentence-BERT" (2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from router_models.artifacts.weights import Tensors, layers

Array = npt.NDArray[np.float64]

HEADS: Final = 12
EPSILON: Final = 1e-12


class Reference:
    """The float64 model; ``tensors`` are the pretrained ones."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors: Mapping[str, Array] = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
        self._layers = layers(tensors)

    def embed(self, ids: npt.NDArray[np.int64]) -> Array:
        """Token ids (n, s) of texts of one length, markers included, to unit vectors (n, 384)."""
        return unit(self.hidden(ids).mean(axis=1))

    def hidden(self, ids: npt.NDArray[np.int64]) -> Array:
        """The last layer's states (n, s, 384)."""
        name = "embeddings"
        words = self._tensors[f"{name}.word_embeddings.weight"][ids]
        places = self._tensors[f"{name}.position_embeddings.weight"][: ids.shape[1]]
        state = self._norm(name, words + places + self._tensors[f"{name}.token_type_embeddings.weight"][0])
        for layer in range(self._layers):
            state = self._layer(f"encoder.layer.{layer}", state)
        return state

    def _layer(self, name: str, state: Array) -> Array:
        attended = self._dense(f"{name}.attention.output.dense", self._attention(f"{name}.attention.self", state))
        state = self._norm(f"{name}.attention.output", state + attended)
        inner = self._dense(f"{name}.intermediate.dense", state)
        inner *= 0.5 * (1.0 + erf(inner / np.sqrt(2.0)))
        return self._norm(f"{name}.output", state + self._dense(f"{name}.output.dense", inner))

    def _attention(self, name: str, state: Array) -> Array:
        n, s, width = state.shape
        query, key, value = (
            self._dense(f"{name}.{part}", state).reshape(n, s, HEADS, width // HEADS).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // HEADS)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (weights / weights.sum(axis=-1, keepdims=True)) @ value
        return np.asarray(mixed.transpose(0, 2, 1, 3).reshape(n, s, width))

    def _dense(self, name: str, x: Array) -> Array:
        return np.asarray(x @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"])

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
        return np.asarray(scaled * self._tensors[f"{name}.LayerNorm.weight"] + self._tensors[f"{name}.LayerNorm.bias"])


def unit(vectors: Array) -> Array:
    """Each row (n, e) scaled to length one."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
