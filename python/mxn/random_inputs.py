# random_inputs.py - inputs made up from a signature.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random inputs for a model that nobody gave any: small dimensions, harmless integers, always the same for a seed."""
from __future__ import annotations

import ast
import operator
from typing import Iterable, Mapping

import numpy as np

from .errors import InputError
from .signature import TensorSpec

DEFAULT_SIZE = 4
INTEGER_BOUND = 100
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
              ast.Div: operator.floordiv}


def parse_dims(texts: Iterable[str]) -> dict[str, int]:
    """{name: size} of "name=size" texts; InputError for anything else."""
    dims = {}
    for text in texts:
        name, equals, size = text.rpartition("=")
        if not equals or not size.isdigit():
            raise InputError(f"expected NAME=SIZE for a dimension, got {text!r}")
        dims[name] = int(size)
    return dims


def dim_size(dim: int | str | None, fallback: str, dims: Mapping[str, int]) -> int:
    """The size of a dimension. Names may be sums and products of other names; `fallback` ("input.axis") is the name by
    which any dimension can be set. What `dims` doesn't know is 4, or 1 for a batch."""
    if fallback in dims:
        return dims[fallback]
    if isinstance(dim, int):
        return dim
    if dim is None:
        return DEFAULT_SIZE
    if dim in dims:
        return dims[dim]
    try:
        return max(_evaluate(ast.parse(dim, mode="eval").body, dims), 0)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return 1 if "batch" in dim.lower() else DEFAULT_SIZE


def _evaluate(node: ast.expr, dims: Mapping[str, int]) -> int:
    if isinstance(node, ast.Name):
        return dims.get(node.id, 1 if "batch" in node.id.lower() else DEFAULT_SIZE)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_evaluate(node.left, dims), _evaluate(node.right, dims))
    raise ValueError("not an expression of dimension names")


def make(specs: Iterable[TensorSpec], dims: Mapping[str, int] | None = None, seed: int = 0,
         bounds: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
    """An array for each input: floats from a normal distribution, integers in [0, 100) or below `bounds[name]`, masks of
    ones, positions that count up along the last axis."""
    random = np.random.default_rng(seed)
    arrays = {}
    for spec in specs:
        try:
            dtype = spec.dtype
        except TypeError as e:
            raise InputError(f"input {spec.name!r}: cannot make random values: {e}") from None
        shape = tuple(dim_size(d, f"{spec.name}.{axis}", dims or {}) for axis, d in enumerate(spec.shape))
        name = spec.name.lower()
        if dtype == np.bool_:
            array = random.integers(0, 2, shape)
        elif dtype.kind in "iu" or "int" in dtype.name:
            if "mask" in name:
                array = np.ones(shape, np.int64)
            elif "position" in name and shape:
                array = np.broadcast_to(np.arange(shape[-1]), shape)
            else:
                narrow = {"int2": 2, "uint2": 4, "int4": 8, "uint4": 16}.get(dtype.name, INTEGER_BOUND)
                array = random.integers(0, max(min(narrow, (bounds or {}).get(spec.name, INTEGER_BOUND)), 1), shape)
        else:
            array = random.standard_normal(shape)
        arrays[spec.name] = np.asarray(array).astype(dtype)
    return arrays
