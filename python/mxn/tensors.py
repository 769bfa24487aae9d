# tensors.py - arrays as the runtime's tensors and back.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns what a caller has (numpy, DLPack, lists, numbers) into arrays, and arrays into the runtime's structs."""
from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from . import dtypes
from .abi import DONATE, MAX_RANK, Tensor
from .errors import InputError
from .signature import TensorSpec


def as_array(value: Any, spec: TensorSpec) -> np.ndarray:
    """An array for the input `spec`. An array of any kind keeps its type, so that a wrong one is reported and not
    converted; lists and Python numbers take the type that is wanted; raw elements ("V2", which is what an .npz file makes
    of bfloat16) are taken as the wanted type if the size fits."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
    elif hasattr(value, "__dlpack__"):
        try:
            array = np.from_dlpack(value)
        except (BufferError, TypeError, ValueError, RuntimeError) as e:
            raise InputError(f"input {spec.name!r}: numpy cannot take this DLPack tensor: {e}") from None
    else:
        try:
            array = np.asarray(value, spec.dtype)
        except (TypeError, ValueError) as e:
            raise InputError(f"input {spec.name!r}: expected a tensor of {dtypes.type_name(spec.type)}, "
                             f"got {type(value).__name__}: {e}") from None
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.type is np.void:
        if spec.type != dtypes.STRING and array.dtype.itemsize == spec.dtype.itemsize:
            array = array.view(spec.dtype)
    return array


def to_struct(array: np.ndarray, spec: TensorSpec, donate: bool = False) -> tuple[Tensor, np.ndarray]:
    """The runtime's struct of an array and the array that owns its memory, which the caller keeps. With `donate` the call
    may write to that memory, which is the array's own unless it is read-only or had to be converted."""
    try:
        number, memory = dtypes.type_number(array.dtype), dtypes.to_memory(array)
    except TypeError as e:
        raise InputError(f"input {spec.name!r}: expected a tensor of {dtypes.type_name(spec.type)}: {e}") from None
    if array.ndim > MAX_RANK:
        raise InputError(f"input {spec.name!r}: rank {array.ndim} is above {MAX_RANK}")
    if donate and not memory.flags.writeable:
        memory = memory.copy()
    tensor = Tensor(type=number, rank=array.ndim, data=memory.ctypes.data, bytes=memory.nbytes,
                    flags=DONATE if donate else 0)
    tensor.dims[:array.ndim] = array.shape
    return tensor, memory


def from_struct(tensor: Tensor, copy: bool = True) -> np.ndarray:
    """The array of an output. Without `copy` it may be a view of the context's memory."""
    shape = tuple(tensor.dims[:tensor.rank])
    length = dtypes.byte_count(tensor.type, shape)
    if not length:
        return np.empty(shape, dtypes.numpy_type(tensor.type))
    memory = np.frombuffer((ctypes.c_uint8 * length).from_address(tensor.data), np.uint8)
    return dtypes.from_memory(memory.copy() if copy else memory, tensor.type, shape)
