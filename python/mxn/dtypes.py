# dtypes.py - ONNX element types as numpy types, and tensors as bytes.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Element types are numbers of ONNX's TensorProto.DataType. In memory, elements of 4 and 2 bits are packed as ONNX packs
them: the first element in the lowest bits, the last byte filled up with zeros. numpy arrays hold one element a byte."""
from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

STRING = 8
_TABLE: dict[int, tuple[str, Any, int]] = {  # number: (name, numpy type, bits of an element)
    1: ("float32", np.float32, 32), 2: ("uint8", np.uint8, 8), 3: ("int8", np.int8, 8), 4: ("uint16", np.uint16, 16),
    5: ("int16", np.int16, 16), 6: ("int32", np.int32, 32), 7: ("int64", np.int64, 64), 9: ("bool", np.bool_, 8),
    10: ("float16", np.float16, 16), 11: ("float64", np.float64, 64), 12: ("uint32", np.uint32, 32),
    13: ("uint64", np.uint64, 64), 14: ("complex64", np.complex64, 64), 15: ("complex128", np.complex128, 128),
    16: ("bfloat16", ml_dtypes.bfloat16, 16), 17: ("float8e4m3fn", ml_dtypes.float8_e4m3fn, 8),
    18: ("float8e4m3fnuz", ml_dtypes.float8_e4m3fnuz, 8), 19: ("float8e5m2", ml_dtypes.float8_e5m2, 8),
    20: ("float8e5m2fnuz", ml_dtypes.float8_e5m2fnuz, 8), 21: ("uint4", ml_dtypes.uint4, 4),
    22: ("int4", ml_dtypes.int4, 4), 23: ("float4e2m1", ml_dtypes.float4_e2m1fn, 4),
    24: ("float8e8m0", ml_dtypes.float8_e8m0fnu, 8), 25: ("uint2", ml_dtypes.uint2, 2), 26: ("int2", ml_dtypes.int2, 2),
}
_NUMBERS = {np.dtype(t): number for number, (_, t, _) in _TABLE.items()}


def type_name(number: int) -> str:
    """The name of an element type: "float32", "int4", ..."""
    return "string" if number == STRING else _TABLE[number][0] if number in _TABLE else f"type {number}"


def numpy_type(number: int) -> np.dtype:
    """The numpy (or ml_dtypes) type of an element type; TypeError for strings and unknown numbers."""
    if number not in _TABLE:
        raise TypeError(f"tensors of {type_name(number)} have no numpy type here")
    return np.dtype(_TABLE[number][1])


def type_number(dtype: np.dtype) -> int:
    """The element type of a numpy type; TypeError when ONNX has none."""
    number = _NUMBERS.get(np.dtype(dtype).newbyteorder("="))
    if number is None:
        raise TypeError(f"numpy type {dtype} has no ONNX element type here")
    return number


def byte_count(number: int, shape: tuple[int, ...]) -> int:
    """The bytes of a tensor of this type and shape in memory."""
    return (math.prod(shape) * _TABLE[number][2] + 7) // 8


def to_memory(array: np.ndarray) -> np.ndarray:
    """A contiguous, aligned array in native byte order whose bytes are the tensor's memory; the array itself where it is one."""
    bits = _TABLE[type_number(array.dtype)][2]
    if bits >= 8:
        # np.ascontiguousarray would turn a scalar into a vector.
        return np.require(array, array.dtype.newbyteorder("="), ["C", "ALIGNED"])
    per_byte, mask = 8 // bits, (1 << bits) - 1
    codes = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & mask
    codes = np.pad(codes, (0, -len(codes) % per_byte)).reshape(-1, per_byte)
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    return np.bitwise_or.reduce(codes << shifts, axis=1).astype(np.uint8)


def from_memory(memory: np.ndarray, number: int, shape: tuple[int, ...]) -> np.ndarray:
    """The array of a type and shape whose memory is `memory` (uint8); a view of it for types of a byte and more."""
    dtype, bits = numpy_type(number), _TABLE[number][2]
    if bits >= 8:
        return memory.view(dtype).reshape(shape)
    shifts = np.arange(8 // bits, dtype=np.uint8) * bits
    codes = ((memory[:, None] >> shifts) & ((1 << bits) - 1)).reshape(-1)[:math.prod(shape)].astype(np.uint8)
    if dtype in (np.dtype(ml_dtypes.int4), np.dtype(ml_dtypes.int2)):  # these keep their sign in the whole byte
        sign = 1 << (bits - 1)
        return ((codes ^ sign).astype(np.int8) - sign).astype(dtype).reshape(shape)
    return codes.view(dtype).reshape(shape)
