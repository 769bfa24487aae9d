# test_dtypes.py - element types in memory.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What mxn.dtypes makes of arrays is what the onnx package makes of them."""
from __future__ import annotations

import numpy as np
import pytest
from mxn import dtypes
from onnx import numpy_helper

TYPES = [t for t in range(1, 27) if t != dtypes.STRING]


@pytest.mark.parametrize("number", TYPES, ids=dtypes.type_name)
@pytest.mark.parametrize("shape", [(3, 5), (4,), (), (0, 2)], ids=str)
def test_same_bytes_as_onnx(number: int, shape: tuple[int, ...]) -> None:
    dtype = dtypes.numpy_type(number)
    low = -2 if dtype.kind in "if" or dtype.name in ("int4", "int2", "bfloat16") else 0
    array = np.asarray(np.random.default_rng(number).integers(low, 2, shape)).astype(dtype)
    tensor = numpy_helper.from_array(array)
    memory = dtypes.to_memory(array)
    assert tensor.data_type == number == dtypes.type_number(array.dtype)
    assert memory.tobytes() == tensor.raw_data
    assert memory.nbytes == dtypes.byte_count(number, shape)
    back = dtypes.from_memory(np.frombuffer(memory.tobytes(), np.uint8), number, shape)
    assert back.dtype == dtype and back.shape == shape
    assert back.tobytes() == array.tobytes()


def test_foreign_byte_order() -> None:
    memory = dtypes.to_memory(np.array([1, 2], ">i4"))
    assert memory.tobytes() == np.array([1, 2], np.int32).tobytes()


def test_strings_are_refused() -> None:
    with pytest.raises(TypeError, match="string"):
        dtypes.numpy_type(dtypes.STRING)
    with pytest.raises(TypeError):
        dtypes.type_number(np.dtype("U3"))


def test_misaligned() -> None:
    array = np.frombuffer(bytes(range(9)), np.uint8)[1:].view(np.float32)
    memory = dtypes.to_memory(array)
    assert memory.ctypes.data % 4 == 0 and memory.tobytes() == array.tobytes()
