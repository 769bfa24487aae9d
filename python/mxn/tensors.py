# tensors.py - arrays as the runtime's tensors and back.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns what a caller has (numpy, DLPack, lists, numbers) into arrays, and arrays into the runtime's structs."""
from __future__ import annotations

import ctypes
from typing import Any, Iterable

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


def to_struct(array: np.ndarray, spec: TensorSpec, donate: bool | np.ndarray = False) -> tuple[Tensor, np.ndarray]:
    """The runtime's struct of an array and the array that owns its memory, which the caller keeps. With `donate` the call
    may write to that memory, which is the array's own unless it is read-only or had to be converted. Where `donate` is an
    array, the memory is that array's, whose first bytes are the tensor: what lies behind them is there to grow into."""
    try:
        number, memory = dtypes.type_number(array.dtype), dtypes.to_memory(array)
    except TypeError as e:
        raise InputError(f"input {spec.name!r}: expected a tensor of {dtypes.type_name(spec.type)}: {e}") from None
    if array.ndim > MAX_RANK:
        raise InputError(f"input {spec.name!r}: rank {array.ndim} is above {MAX_RANK}")
    if isinstance(donate, np.ndarray):
        if not (donate.flags.c_contiguous and donate.flags.writeable) or donate.nbytes < memory.nbytes or \
                (memory.nbytes and donate.ctypes.data != memory.ctypes.data):
            raise InputError(f"input {spec.name!r}: expected donated memory that is contiguous, writable, and begins with the "
                             "tensor")
        memory = donate
    elif donate and not memory.flags.writeable:
        memory = memory.copy()
    tensor = Tensor(type=number, rank=array.ndim, data=memory.ctypes.data, bytes=memory.nbytes,
                    flags=0 if donate is False else DONATE)
    tensor.dims[:array.ndim] = array.shape
    return tensor, memory


def from_struct(tensor: Tensor, copy: bool = True, donated: Iterable[np.ndarray] = ()) -> np.ndarray:
    """The array of an output: a view of the memory in `donated` that it lies in. Elsewhere it is the context's memory, of
    which it may be a view without `copy`."""
    shape = tuple(tensor.dims[:tensor.rank])
    length = dtypes.byte_count(tensor.type, shape)
    if not length:
        return np.empty(shape, dtypes.numpy_type(tensor.type))
    for owner in donated:
        if owner.ctypes.data == tensor.data and owner.nbytes >= length:
            return dtypes.from_memory(owner.reshape(-1).view(np.uint8)[:length], tensor.type, shape)
    memory = np.frombuffer((ctypes.c_uint8 * length).from_address(tensor.data), np.uint8)
    return dtypes.from_memory(memory.copy() if copy else memory, tensor.type, shape)
