# test_backend.py - a part of ONNX's own backend suite.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Node cases of the onnx package through mxn.onnx_backend. A case passes, or the compiler refuses it with a message, which counts as
skipped; a wrong result or a crash fails. Ops of which every model is made may not be refused."""
from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Iterator

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, numpy_helper

# Every STEPth case, and all of these, which must compile.
STEP = 25
BASIC = ["add", "add_bcast", "and2d", "argmax_default_axis_example", "cast_FLOAT_to_FLOAT16", "clip", "concat_2d_axis_0",
         "conv_with_strides_padding", "div", "equal", "erf", "exp", "expand_dim_changed", "gather_0", "gemm_default_matrix_bias",
         "greater", "identity", "layer_normalization_2d_axis0", "matmul_2d", "matmul_4d", "maxpool_2d_default", "mul_bcast",
         "neg", "constant_pad", "pow", "range_float_type_positive_delta", "reduce_mean_default_axes_keepdims_example",
         "relu", "reshape_extended_dims", "shape", "sigmoid", "slice", "softmax_axis_2", "split_equal_parts_1d_opset13",
         "sqrt", "squeeze", "sub", "tanh", "transpose_default", "unsqueeze_axis_1", "where_example"]
# Basic cases that give as inputs what shapes depend on. Every model has that as constants, and so it is here.
CONSTANTS = {"constant_pad": ["pads", "value"], "reduce_mean_default_axes_keepdims_example": ["axes"],
             "slice": ["starts", "ends", "axes", "steps"]}
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


def collect() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases
        return {case.name.removeprefix("test_"): case for case in collect_testcases(None)}


CASES = collect()
CHOSEN = sorted({*list(CASES)[::STEP], *(n for n in BASIC if n in CASES)})


def run_case(model_bytes: bytes, inputs: list[Any]) -> tuple[str, Any]:
    """("ok", outputs as ONNX tensors or None), ("refused", message) or ("wrong", message); in a process of its own."""
    import mxn
    from mxn import onnx_backend
    model = ModelProto.FromString(model_bytes)
    try:
        prepared = onnx_backend.prepare(model)
    except mxn.CompileError as e:
        return ("refused" if e.status > 0 and str(e) else "wrong"), str(e)
    try:
        outputs = prepared.run([decode(i) for i in inputs])
    except mxn.InputError as e:
        return "refused", str(e)
    except mxn.Error as e:
        return "wrong", f"{type(e).__name__}: {e}"
    return "ok", [encode(o) for o in outputs]


def with_constants(model: ModelProto, inputs: list[Any], names: list[str]) -> tuple[ModelProto, list[Any]]:
    """The case with the inputs of these names made constants."""
    constant = ModelProto.FromString(model.SerializeToString())
    for info, value in list(zip(model.graph.input, inputs, strict=True)):
        if info.name in names:
            constant.graph.input.remove(info)
            constant.graph.initializer.append(numpy_helper.from_array(np.asarray(value), info.name))
    return constant, [v for i, v in zip(model.graph.input, inputs) if i.name not in names]


def encode(value: Any) -> Any:
    """Tensors as bytes of ONNX: the types of ml_dtypes don't survive pickling everywhere."""
    if isinstance(value, (np.ndarray, np.generic)) and np.asarray(value).dtype.kind not in "OUS":
        return numpy_helper.from_array(np.asarray(value)).SerializeToString()
    return [] if isinstance(value, (list, tuple, dict)) else value


def decode(value: Any) -> Any:
    return numpy_helper.to_array(TensorProto.FromString(value)) if isinstance(value, bytes) else value


@pytest.fixture(scope="module")
def worker() -> Iterator[Any]:
    """A process that runs cases; another one after a crash."""
    class Worker:
        pool: ProcessPoolExecutor | None = None

        def run(self, *arguments: Any) -> tuple[str, Any]:
            self.pool = self.pool or ProcessPoolExecutor(1, get_context("spawn"))
            try:
                return self.pool.submit(run_case, *arguments).result(timeout=120)
            except BrokenProcessPool:
                self.pool = None
                return "wrong", "the process crashed"

    made = Worker()
    yield made
    if made.pool:
        made.pool.shutdown()


@pytest.mark.parametrize("name", CHOSEN)
def test_node(name: str, worker: Any) -> None:
    case = CASES[name]
    is_random = any(n.op_type in RANDOM for n in case.model.graph.node)
    for inputs, wanted in case.data_sets:
        model, inputs = with_constants(case.model, inputs, CONSTANTS.get(name, []))
        given = [i.SerializeToString() if isinstance(i, TensorProto) else encode(i) for i in inputs]
        verdict, outputs = worker.run(model.SerializeToString(), given)
        if verdict == "refused":
            assert name not in BASIC, f"refused: {outputs}"
            pytest.skip(f"refused: {outputs}"[:200])
        assert verdict == "ok", outputs
        assert len(outputs) == len(wanted)
        for got, want in zip(outputs, wanted):
            check(decode(got), want if not isinstance(want, TensorProto) else numpy_helper.to_array(want), case, is_random)


def check(got: Any, want: Any, case: Any, is_random: bool) -> None:
    want = np.asarray(want)
    assert isinstance(got, np.ndarray) and got.dtype == want.dtype and got.shape == want.shape
    if is_random:
        return
    if want.dtype.kind in "biu" or "int" in want.dtype.name:
        np.testing.assert_array_equal(got.astype(np.int64), want.astype(np.int64))
    else:
        wide = np.complex128 if want.dtype.kind == "c" else np.float64
        np.testing.assert_allclose(got.astype(wide), want.astype(wide), case.rtol, case.atol)


def test_basic_cases_exist() -> None:
    assert [n for n in BASIC if n not in CASES] == []


def test_interface() -> None:
    from mxn import onnx_backend
    assert onnx_backend.supports_device("CPU") and not onnx_backend.supports_device("CUDA")
    from onnx import helper
    result = onnx_backend.run_node(helper.make_node("Add", ["a", "b"], ["c"]), [np.float32([1, 2]), np.float32([3, 4])])
    np.testing.assert_array_equal(result["c"], [4, 6])
