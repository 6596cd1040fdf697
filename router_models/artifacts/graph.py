"""all-MiniLM-L6-v2 as an ONNX graph with int8 weights, written straight from its tensors.

One text a run, so there is no padding and no mask, and a text's embedding depends on that text alone (activations
are quantised over the whole input of a matrix product: in a batch, neighbours would leak into it). The fused
operators are of onnxruntime's ``com.microsoft`` domain, which its plain CPU wheel runs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from router_models.artifacts import quantise
from router_models.artifacts.reference import EPSILON, HEADS
from router_models.artifacts.weights import Tensors, layers

POSITIONS: Final = 256
WIDTH: Final = 384
FUSED: Final = "com.microsoft"
OPSET: Final = 18
IR_VERSION: Final = 9


def build(tensors: Tensors) -> bytes:
    """The serialised model: ``ids`` int64 (1, s), s <= 256, to ``embedding`` float32 (1, 384) of unit length."""
    graph = _Graph(tensors)
    hidden = graph.embeddings()
    for layer in range(layers(tensors)):
        hidden = graph.layer(f"encoder.layer.{layer}", hidden)
    return graph.serialise(graph.pool(hidden))


class _Graph:
    """Nodes and constants so far; each method appends some and returns the name of its output."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def embeddings(self) -> str:
        name = "embeddings"
        codes, scales = quantise.rows(self._tensors[f"{name}.word_embeddings.weight"])
        words = self._node("Gather", [self._constant("words", codes), "ids"])
        scale = self._node("Gather", [self._constant("scales", scales), "ids"])
        words = self._node("Mul", [self._node("Cast", [words], to=onnx.TensorProto.FLOAT), scale])
        table = self._tensors[f"{name}.position_embeddings.weight"][:POSITIONS]
        table = table + self._tensors[f"{name}.token_type_embeddings.weight"][0]
        length = self._node("Shape", ["ids"], start=1, end=2)
        start = self._constant("start", np.array([0], dtype=np.int64))
        axis = self._constant("axis", np.array([1], dtype=np.int64))
        places = self._node("Slice", [self._constant("places", table[None]), start, length, axis])
        return self._norm(name, words, places)

    def layer(self, name: str, hidden: str) -> str:
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        queries, keys, values = self._nodes_out("Split", [self._dense(parts, hidden)], 3, axis=2, num_outputs=3)
        mixed = self._node("MultiHeadAttention", [queries, keys, values], domain=FUSED, num_heads=HEADS)
        attended = self._dense([f"{name}.attention.output.dense"], mixed)
        hidden = self._norm(f"{name}.attention.output", hidden, attended)
        inner = self._node("Gelu", [self._dense([f"{name}.intermediate.dense"], hidden)], domain=FUSED)
        return self._norm(f"{name}.output", hidden, self._dense([f"{name}.output.dense"], inner))

    def pool(self, hidden: str) -> str:
        mean = self._node("ReduceMean", [hidden, "axis"], keepdims=0)
        return self._node("LpNormalization", [mean], axis=-1, p=2)

    def serialise(self, output: str) -> bytes:
        self._nodes.append(helper.make_node("Identity", [output], ["embedding"]))
        inputs = [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [1, "length"])]
        outputs = [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, [1, WIDTH])]
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        return bytes(model.SerializeToString(deterministic=True))

    def _dense(self, names: list[str], value: str) -> str:
        """``value @ weights + bias``, the outputs of several layers side by side, by an int8 product."""
        codes, scales = quantise.rows(np.concatenate([self._tensors[f"{name}.weight"] for name in names]))
        bias = np.concatenate([self._tensors[f"{name}.bias"] for name in names])
        constants = [
            self._constant(f"{names[0]}.codes", codes.T),
            self._constant(f"{names[0]}.scales", scales[:, 0]),
            "",
            self._constant(f"{names[0]}.bias", bias),
        ]
        return self._node("DynamicQuantizeMatMul", [value, *constants], domain=FUSED)

    def _norm(self, name: str, left: str, right: str) -> str:
        gain = self._constant(f"{name}.gain", self._tensors[f"{name}.LayerNorm.weight"])
        shift = self._constant(f"{name}.shift", self._tensors[f"{name}.LayerNorm.bias"])
        return self._node("SkipLayerNormalization", [left, right, gain, shift], domain=FUSED, epsilon=EPSILON)

    def _constant(self, name: str, values: npt.NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        return self._nodes_out(operator, inputs, 1, **attributes)[0]

    def _nodes_out(self, operator: str, inputs: list[str], outputs: int, **attributes: Any) -> list[str]:
        names = [f"{operator}.{len(self._nodes)}.{output}" for output in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names
