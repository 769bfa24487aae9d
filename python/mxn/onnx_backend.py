# onnx_backend.py - MxN as a backend of the onnx package.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The interface of onnx.backend.base: `prepare(model).run(inputs)`.

Outputs come in the graph's order, as numpy arrays; types that numpy lacks are those of ml_dtypes, which is what
onnx.numpy_helper uses. A model that the compiler refuses raises mxn.CompileError with its message.
"""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, shape_inference
from onnx.backend.base import Backend, BackendRep, namedtupledict
from onnx.defs import onnx_opset_version

from .compiler import compile as compile_model
from .errors import InputError
from .model import load, ordered


class MxnBackendRep(BackendRep):
    """A compiled model, ready to be run any number of times."""

    def __init__(self, model: ModelProto, threads: int = 0, **options: Any):
        self._names = [o.name for o in model.graph.output]
        self._bundle = compile_model(model, **options)
        self.model = load(self._bundle, threads)

    def run(self, inputs: Any, **_kwargs: Any) -> list[np.ndarray]:
        """Runs the model on its inputs: a sequence in the graph's order (those without an initializer), a mapping by
        name, or one array. InputError and mxn.RunError say what doesn't fit."""
        signature = self.model.function()
        if isinstance(inputs, Mapping):
            values = ordered(signature, inputs)
        else:
            values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
            if len(values) != len(signature.inputs):
                raise InputError(f"the model takes {len(signature.inputs)} inputs, got {len(values)}")
        values = [numpy_helper.to_array(v) if isinstance(v, TensorProto) else v for v in values]
        for spec, value in zip(signature.inputs, values):
            if value is None or isinstance(value, (list, tuple, dict)):
                raise InputError(f"input {spec.name!r}: sequences, maps and optionals are not tensors")
        context = self.model.context()
        context.bind(signature, values)
        context.run()
        results = namedtupledict("Outputs", self._names)(*context.outputs())
        return results  # a tuple that also knows the names


class MxnBackend(Backend):
    """onnx's backend class."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> MxnBackendRep:
        """Compiles `model`; keyword arguments are those of mxn.compile, and `threads`. The onnx package's checker is not
        run: the compiler does its own checks and takes ops that the checker doesn't know."""
        if not cls.supports_device(device):
            raise InputError(f"the device {device!r} is not supported; there is 'CPU'")
        return MxnBackendRep(model, **kwargs)

    @classmethod
    def run_model(cls, model: ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any) -> Sequence[np.ndarray]:
        """prepare and run in one."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node: NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None,
                 opset: int | None = None, **kwargs: Any) -> Sequence[np.ndarray]:
        """Runs one node. `outputs_info` is a list of (numpy type, shape) for its outputs; `opset` that of its domain
        (default: the newest that the onnx package knows, 1 in other domains)."""
        arrays = [np.asarray(v) for v in inputs]
        names = [n for n in node.input if n]
        given = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
                 for n, a in zip(names, arrays, strict=True)]
        if outputs_info:
            made = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(t)), s)
                    for n, (t, s) in zip(filter(None, node.output), outputs_info, strict=True)]
        else:
            made = [helper.make_empty_tensor_value_info(n) for n in node.output if n]
        opsets = [helper.make_opsetid(node.domain, opset or (1 if node.domain else onnx_opset_version()))]
        model = helper.make_model(helper.make_graph([node], "node", given, made), opset_imports=opsets)
        if not outputs_info:
            model = shape_inference.infer_shapes(model)
        return cls.run_model(model, arrays, device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether a device such as "CPU" or "CPU:0" can be used."""
        return device.partition(":")[0] == "CPU"


prepare = MxnBackend.prepare
run_model = MxnBackend.run_model
run_node = MxnBackend.run_node
supports_device = MxnBackend.supports_device
is_compatible = MxnBackend.is_compatible
