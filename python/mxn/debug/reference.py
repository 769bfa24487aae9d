# reference.py - every value of a model, computed by a reference.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model on a reference implementation and keeps the value of every tensor of the main graph."""
from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ..errors import Error
from . import graph

REFERENCES = ("onnx", "onnxruntime")


class ReferenceError(Error):  # noqa: A001 - a name of this module only
    """The reference cannot run the model."""


def evaluate(which: str, path: Path, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """{tensor name: value} of the model at `path`; ReferenceError when the reference cannot run it."""
    return {"onnx": _onnx, "onnxruntime": _onnxruntime}[which](path, inputs)


def _onnx(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    from onnx.reference import ReferenceEvaluator
    try:
        model = onnx.load(path)
        del model.graph.value_info[:]  # exporters write wrong ones, and the evaluator need not know them
        return ReferenceEvaluator(model).run(None, inputs, intermediate=True)
    except Exception as e:  # an evaluator written in Python fails in any way
        raise ReferenceError(f"the ONNX reference cannot run this model: {type(e).__name__}: {e}. "
                             "--reference onnxruntime may.") from e


def _onnxruntime(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    try:
        import onnxruntime
    except ImportError:
        raise ReferenceError("--reference onnxruntime needs the package onnxruntime: pip install onnxruntime") from None
    model = graph.load(path)
    names = [n for _, node in graph.steps(model) for n in node.output if n]
    wanted = [o.name for o in model.graph.output]
    for name in names:
        if name not in wanted:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
            wanted.append(name)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        with tempfile.NamedTemporaryFile(suffix=".onnx", prefix=".mxn-", dir=path.parent) as file:
            file.write(model.SerializeToString())
            file.flush()
            session = onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
        return dict(zip(wanted, session.run(wanted, inputs)))
    except Exception as e:  # its exceptions have no common base
        raise ReferenceError(f"onnxruntime cannot run this model: {e}") from e
