# small_decoder.py - a decoder of a few thousand weights.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A decoder of ONNX's own ops (opset 24) that takes milliseconds: two layers, grouped heads, a causal mask from index
arithmetic, and random weights, so that each token changes all that follow."""
from __future__ import annotations

from typing import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VOCABULARY, WIDTH, HEADS, SHARED, SIZE, LAYERS, LENGTH = 40, 24, 4, 2, 6, 2, 256


class _Graph:
    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(5)

    def weight(self, array: np.ndarray) -> str:
        array = array.astype(self.dtype) if array.dtype == np.float32 else array
        self.weights.append(numpy_helper.from_array(array, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def matrix(self, rows: int, columns: int) -> str:
        return self.weight((self.random.standard_normal((rows, columns)) / rows**0.5).astype(np.float32))

    def ints(self, *values: int) -> str:
        return self.weight(np.array(values, np.int64))

    def add(self, op: str, inputs: Sequence[str], outputs: Sequence[str] = (), **attributes: object) -> str:
        names = list(outputs) or [f"t{len(self.nodes)}"]
        self.nodes.append(helper.make_node(op, inputs, names, f"/{op}_{len(self.nodes)}", **attributes))
        return names[0]


def _mask(g: _Graph, window: int, positions: str) -> str:
    """Keys up to the query's position, at most `window` of them, where the attention mask is set."""
    total = g.add("Squeeze", [g.add("Shape", ["mask"], start=1, end=2)])
    new = g.add("Squeeze", [g.add("Shape", ["ids"], start=1, end=2)])
    zero, one = g.weight(np.array(0, np.int64)), g.weight(np.array(1, np.int64))
    keys = g.add("Range", [zero, total, one])
    queries = g.add("Unsqueeze", [g.add("Range", [g.add("Sub", [total, new]), total, one]), g.ints(1)])
    if positions == "mask":  # from the positions, for each batch row
        queries = g.add("Unsqueeze", ["positions", g.ints(1, 3)])
    seen = g.add("LessOrEqual", [keys, queries])
    if window:
        near = g.add("Less", [g.add("Sub", [queries, keys]), g.weight(np.array(window, np.int64))])
        seen = g.add("And", [near, seen])
    given = g.add("Unsqueeze", [g.add("Cast", ["mask"], to=TensorProto.BOOL), g.ints(1, 2)])
    return g.add("And", [seen, given])


def model(window: int = 0, positions: str = "rotary", causal: bool = False,
          dtype: str = "float32") -> onnx.ModelProto:
    """A decoder. `window`: how many keys a query sees, 0 for all. `positions`: "rotary", "learned" (a table that is added), or
    "mask" (rotary, and the mask compares with them). `causal`: the attribute is_causal in place of a mask. `dtype`: of
    weights, caches and logits."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    g = _Graph(np.dtype(dtype))
    mask = "" if causal else _mask(g, window, positions)
    x = g.add("Gather", [g.matrix(VOCABULARY, WIDTH), "ids"])
    if positions == "learned":
        x = g.add("Add", [x, g.add("Gather", [g.matrix(LENGTH, WIDTH), "positions"])])
    angles = np.arange(LENGTH)[:, None] / 10 ** np.arange(SIZE // 2)
    tables = [g.weight(f(angles).astype(np.float32)) for f in (np.cos, np.sin)]
    for i in range(LAYERS):
        normal = g.add("RMSNormalization", [x, g.weight(np.ones(WIDTH, np.float32))], axis=-1)
        q, k, v = (g.add("MatMul", [normal, g.matrix(WIDTH, n * SIZE)]) for n in (HEADS, SHARED, SHARED))
        if positions != "learned":
            q = g.add("RotaryEmbedding", [q, *tables, "positions"], num_heads=HEADS)
            k = g.add("RotaryEmbedding", [k, *tables, "positions"], num_heads=SHARED)
        y = g.add("Attention", [q, k, v, mask, f"past.{i}.k", f"past.{i}.v"], [f"y{i}", f"new.{i}.k", f"new.{i}.v"],
                  q_num_heads=HEADS, kv_num_heads=SHARED, is_causal=int(causal))
        x = g.add("Add", [x, g.add("MatMul", [y, g.matrix(HEADS * SIZE, WIDTH)])])
        up = g.add("Swish", [g.add("MatMul", [x, g.matrix(WIDTH, 2 * WIDTH)])])
        x = g.add("Add", [x, g.add("MatMul", [up, g.matrix(2 * WIDTH, WIDTH)])])
    g.add("MatMul", [x, g.matrix(WIDTH, VOCABULARY)], ["logits"])

    def info(name: str, element: int, *dims: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, element, dims)

    caches = [f"{i}.{kind}" for i in range(LAYERS) for kind in "vk"]  # values first: the order says nothing
    inputs = [info("positions", TensorProto.INT64, "b", "s"), info("ids", TensorProto.INT64, "b", "s")]
    inputs += [] if causal else [info("mask", TensorProto.INT64, "b", "p + s")]
    inputs += [info(f"past.{c}", element, "b", SHARED, "p", SIZE) for c in caches]
    outputs = [info(f"new.{c}", element, "b", SHARED, "p + s", SIZE) for c in sorted(caches)]
    outputs += [info("logits", element, "b", "s", VOCABULARY)]
    graph = helper.make_graph(g.nodes, "decoder", inputs, outputs, g.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=11)
