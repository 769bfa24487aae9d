# graph.py - ONNX graphs cut and extended for debugging.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes intermediate tensors outputs, and single nodes models."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Mapping

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from ..errors import Error, InputError
from ..signature import TensorSpec

# Their values differ each time, so there is nothing to compare.
RANDOM_OPS = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


def load(path: Path, external_data: bool = False) -> ModelProto:
    """The model at `path`; Error when it is missing or not an ONNX file."""
    try:
        return onnx.load(path, load_external_data=external_data)
    except OSError as e:
        raise Error(f"{path}: {e.strerror or e}") from None
    except Exception as e:  # protobuf's exceptions have no common base
        raise Error(f"{path}: not an ONNX model: {e}") from None


def steps(model: ModelProto) -> list[tuple[int, NodeProto]]:
    """The nodes of the main graph with their numbers, in its order, without constants."""
    return [(i, n) for i, n in enumerate(model.graph.node) if n.op_type != "Constant" or n.domain not in ("", "ai.onnx")]


def input_specs(model: ModelProto) -> list[TensorSpec]:
    """The graph's inputs without those that have an initializer; InputError for sequences and maps."""
    have = {t.name for t in model.graph.initializer} | {t.values.name for t in model.graph.sparse_initializer}
    specs = []
    for value in model.graph.input:
        if value.name in have:
            continue
        if not value.type.HasField("tensor_type"):
            raise InputError(f"input {value.name!r} is not a tensor, which mxn debug does not take")
        tensor = value.type.tensor_type
        dims = [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim]
        specs.append(TensorSpec(value.name, tensor.elem_type, tuple(dims)))
    return specs


def index_bounds(model: ModelProto) -> dict[str, int]:
    """For inputs that look up rows of a weight (through casts too): the number of rows, so that random ones exist."""
    shapes = {t.name: t.dims for t in model.graph.initializer}
    source: dict[str, str] = {i.name: i.name for i in model.graph.input}
    bounds: dict[str, int] = {}
    for node in model.graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in source:
            source[node.output[0]] = source[node.input[0]]
        if node.op_type in ("Gather", "GatherBlockQuantized") and node.input[1] in source and node.input[0] in shapes:
            axes = [a.i for a in node.attribute if a.name in ("axis", "gather_axis")]
            rows, name = shapes[node.input[0]][axes[0] if axes else 0], source[node.input[1]]
            bounds[name] = min(rows, bounds.get(name, rows))
    return bounds


def is_tensor(value: Any) -> bool:
    """Whether a reference's value is a tensor that can be compared: no sequence, no optional, no strings."""
    return isinstance(value, (np.ndarray, np.generic)) and np.asarray(value).dtype.kind not in "OUS"


def expose(model: ModelProto, values: Mapping[str, Any], only: Iterable[str] | None = None) -> None:
    """Makes the tensors of the main graph outputs (all, or those in `only`). Ranks come from `values`, element types from
    ONNX's rules where they tell: a reference may compute in a wider type than a model has."""
    types = _element_types(model)
    have = {o.name for o in model.graph.output}
    allowed = None if only is None else set(only)
    for _, node in steps(model):
        for name in node.output:
            if name and name not in have and is_tensor(values.get(name)) and (allowed is None or name in allowed):
                have.add(name)
                info = _info(name, values[name], static=False)
                info.type.tensor_type.elem_type = types.get(name) or info.type.tensor_type.elem_type
                model.graph.output.append(info)


def _element_types(model: ModelProto) -> dict[str, int]:
    """The element types that ONNX's inference finds; none for a model that is too large for it."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (ValueError, onnx.shape_inference.InferenceError):
        return {}
    return {v.name: v.type.tensor_type.elem_type for v in inferred.graph.value_info if v.type.HasField("tensor_type")}


def isolate(model: ModelProto, node: NodeProto, values: Mapping[str, Any]) -> ModelProto:
    """A model of this node alone. Weights and constants stay what they are, other tensors become inputs of exactly the
    shapes that `values` has (of their ranks where the node has subgraphs: one that isn't taken may need other shapes). Error when a tensor of it isn't one that a model can take."""
    weights = {t.name: t for t in model.graph.initializer}
    weights |= {c.output[0]: _constant(c) for c in model.graph.node if c.op_type == "Constant"}
    static = not any(a.HasField("g") or a.graphs for a in node.attribute)
    inputs, initializers = [], []
    for name in dict.fromkeys(_reads(node)):
        if weights.get(name) is not None:
            initializers.append(weights[name])
        elif name in values:
            if not is_tensor(values[name]):
                raise Error(f"its input {name!r} is not a numeric tensor")
            inputs.append(_info(name, values[name], static))
    outputs = [_info(n, values[n], static=False) for n in node.output if n and is_tensor(values.get(n))]
    if not outputs:
        raise Error("none of its outputs is a numeric tensor")
    alone = helper.make_graph([node], "node", inputs, outputs, initializers)
    return helper.make_model(alone, opset_imports=model.opset_import, functions=model.functions,
                             ir_version=model.ir_version)


def _constant(node: NodeProto) -> onnx.TensorProto | None:
    """The tensor of a Constant node; None for the kinds that aren't a plain tensor."""
    for a in node.attribute:
        if a.name.startswith("value") and "string" not in a.name:
            tensor = onnx.TensorProto()
            if a.name == "value":
                tensor.CopyFrom(a.t)
            else:
                kind = np.float32 if "float" in a.name else np.int64
                tensor.CopyFrom(numpy_helper.from_array(np.asarray(helper.get_attribute_value(a), kind)))
            tensor.name = node.output[0]
            return tensor
    return None


def _reads(node: NodeProto) -> list[str]:
    """The names that a node reads, those that its subgraphs take from outside included."""
    names = [n for n in node.input if n]
    for attribute in node.attribute:
        for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
            names += _free(inner)
    return names


def _free(inner: GraphProto) -> list[str]:
    own = {i.name for i in inner.input} | {t.name for t in inner.initializer} | {o for n in inner.node for o in n.output}
    reads = [r for n in inner.node for r in _reads(n)] + [o.name for o in inner.output]
    return [r for r in reads if r not in own]


def _info(name: str, value: Any, static: bool) -> onnx.ValueInfoProto:
    array = np.asarray(value)
    shape = array.shape if static else [None] * array.ndim
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape)
