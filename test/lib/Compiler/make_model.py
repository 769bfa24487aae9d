# make_model.py - a small model with weights, a symbolic size and several kernels.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: make_model.py FILE.onnx [unsupported | identity | double]"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

kind = sys.argv[2] if len(sys.argv) > 2 else "network"
element = TensorProto.DOUBLE if kind == "double" else TensorProto.FLOAT
x = helper.make_tensor_value_info("x", element, ["n", 8])
y = helper.make_tensor_value_info("y", element, ["n", 8])
weights = [numpy_helper.from_array(np.arange(64, dtype=np.float32).reshape(8, 8) / 64, "w")]
nodes = {
    "network": [helper.make_node("MatMul", ["x", "w"], ["h"], "mix"), helper.make_node("Relu", ["h"], ["r"], "relu"),
                helper.make_node("Softmax", ["r"], ["y"], "softmax", axis=-1)],
    "identity": [helper.make_node("Identity", ["x"], ["y"], "same")],
    "double": [helper.make_node("Sin", ["x"], ["y"], "wave")],
    "unsupported": [helper.make_node("Odd", ["x"], ["a"], "first", domain="nowhere"),
                    helper.make_node("Odd", ["a"], ["b"], "second", domain="nowhere"),
                    helper.make_node("Strange", ["b"], ["y"], "third", domain="nowhere")],
}[kind]
graph = helper.make_graph(nodes, "g", [x], [y], weights if kind == "network" else [])
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("nowhere", 1)]
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), sys.argv[1])
