# small_models.py - ONNX models of a few nodes.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models that the tests build themselves."""
from __future__ import annotations

from typing import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def model(nodes: Sequence[onnx.NodeProto], inputs: dict, outputs: dict, weights: dict | None = None, opset: int = OPSET,
          domains: Sequence[str] = ()) -> onnx.ModelProto:
    """A model; `inputs` and `outputs` map names to (element type, shape), `weights` names to arrays."""
    info = lambda tensors: [helper.make_tensor_value_info(n, t, s) for n, (t, s) in tensors.items()]  # noqa: E731
    initializers = [numpy_helper.from_array(np.asarray(a), n) for n, a in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "small", info(inputs), info(outputs), initializers)
    opsets = [helper.make_opsetid("", opset), *[helper.make_opsetid(d, 1) for d in domains]]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def perceptron() -> onnx.ModelProto:
    """y[N, 3] = softmax(relu(x[N, 8] w1 + b1) w2), four named nodes and a dynamic batch."""
    random = np.random.default_rng(1)
    weights = {"w1": random.standard_normal((8, 16)).astype(np.float32), "b1": np.linspace(-1, 1, 16, dtype=np.float32),
               "w2": random.standard_normal((16, 3)).astype(np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], "hidden"), helper.make_node("Relu", ["h"], ["r"], "relu"),
             helper.make_node("MatMul", ["r", "w2"], ["z"], "head"), helper.make_node("Softmax", ["z"], ["y"], "soft", axis=-1)]
    return model(nodes, {"x": (TensorProto.FLOAT, ["N", 8])}, {"y": (TensorProto.FLOAT, ["N", 3])}, weights)


def perceptron_result(x: np.ndarray) -> np.ndarray:
    """What perceptron gives, computed with numpy."""
    weights = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in perceptron().graph.initializer}
    z = np.maximum(x.astype(np.float64) @ weights["w1"] + weights["b1"], 0) @ weights["w2"]
    e = np.exp(z - z.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)


def addition() -> onnx.ModelProto:
    """c[N] = a[N] + b[N]: two inputs that must have one length."""
    vector = (TensorProto.FLOAT, ["N"])
    return model([helper.make_node("Add", ["a", "b"], ["c"], "sum")], {"a": vector, "b": vector}, {"c": vector})


def unknown_op() -> onnx.ModelProto:
    """A node of an op that nobody knows, beside one that is known."""
    vector = (TensorProto.FLOAT, ["N"])
    nodes = [helper.make_node("Frobnicate", ["a"], ["b"], "the_odd_one", domain="nowhere.example"),
             helper.make_node("Relu", ["b"], ["c"], "relu")]
    return model(nodes, {"a": vector}, {"c": vector}, domains=["nowhere.example"])
