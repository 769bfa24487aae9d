# signature.py - what a function of a bundle takes and gives.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The signature of a function: names, element types and shapes of its inputs and outputs."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import dtypes
from .abi import TensorInfo


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. `shape` holds a number, a name such as "batch", or None for each dimension; `type` is the
    number of the element type."""

    name: str
    type: int
    shape: tuple[int | str | None, ...]

    @property
    def dtype(self) -> np.dtype:
        """The numpy type; TypeError for strings."""
        return dtypes.numpy_type(self.type)

    def __str__(self) -> str:
        dims = ", ".join("?" if d is None else str(d) for d in self.shape)
        return f"{self.name}: {dtypes.type_name(self.type)}[{dims}]"


@dataclass(frozen=True)
class Signature:
    """A function's number in its bundle, its name, inputs and outputs, in the order of the ONNX graph."""

    index: int
    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def spec_of(info: TensorInfo) -> TensorSpec:
    """A TensorSpec of what the runtime says."""
    dims = [info.dims[i] if info.dims[i] >= 0 else (info.dim_names[i] or b"").decode() or None for i in range(info.rank)]
    return TensorSpec(info.name.decode(), info.type, tuple(dims))
