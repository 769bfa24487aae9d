# test_random_inputs.py - made-up inputs and .npz files.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from mxn import InputError, TensorSpec, npz, random_inputs
from mxn.tensors import as_array


@pytest.mark.parametrize(("dim", "size"), [(7, 7), ("N", 3), ("past + N", 7), ("2*N", 6), ("other", 4), (None, 4),
                                           ("batch_size", 1), ("odd.name:0", 4), ("N - 9", 0), ("N/0", 4)])
def test_dimensions(dim: int | str | None, size: int) -> None:
    assert random_inputs.dim_size(dim, "x.0", {"N": 3}) == size


def test_dimension_of_an_input_wins() -> None:
    assert random_inputs.dim_size("N", "x.1", {"N": 3, "x.1": 5}) == 5


def test_parse_dims() -> None:
    assert random_inputs.parse_dims(["N=3", "a=b=4"]) == {"N": 3, "a=b": 4}
    for bad in ("N", "N=", "N=x", "N=-1"):
        with pytest.raises(InputError, match="NAME=SIZE"):
            random_inputs.parse_dims([bad])


def test_values() -> None:
    specs = [TensorSpec("input_ids", 7, (50,)), TensorSpec("attention_mask", 7, (3,)), TensorSpec("position_ids", 7, (1, 3)),
             TensorSpec("rows", 6, (50,)), TensorSpec("x", 16, (4,)), TensorSpec("q", 22, (9,))]
    made = random_inputs.make(specs, bounds={"rows": 2})
    assert 0 <= made["input_ids"].min() and 50 < made["input_ids"].max() < 100
    assert made["attention_mask"].tolist() == [1, 1, 1] and made["position_ids"].tolist() == [[0, 1, 2]]
    assert set(made["rows"].tolist()) == {0, 1} and made["rows"].dtype == np.int32
    assert made["x"].dtype == ml_dtypes.bfloat16 and made["q"].dtype == ml_dtypes.int4
    again = random_inputs.make(specs, bounds={"rows": 2})
    assert all(np.array_equal(made[n], again[n]) for n in made)


def test_npz_keeps_names_and_types(tmp_path: Path) -> None:
    arrays = {"a/b": np.arange(3), "file": np.ones((), np.float32), "x:0": np.array([1.5], ml_dtypes.bfloat16)}
    npz.write(tmp_path / "out", arrays)
    back = npz.read(tmp_path / "out", arrays)
    assert set(back) == set(arrays) and back["file"].shape == ()
    whole = as_array(back["x:0"], TensorSpec("x:0", 16, (1,)))
    assert whole.dtype == ml_dtypes.bfloat16 and float(whole[0]) == 1.5


def test_npz_cases(tmp_path: Path) -> None:
    npz.write(tmp_path / "in.npz", {"0/a/b": np.zeros(1), "1/a/b": np.ones(1)})
    assert npz.read(tmp_path / "in.npz", ["a/b"], "1")["a/b"] == 1
    for case, text in ((None, "several cases"), ("7", "no case '7'")):
        with pytest.raises(InputError, match=text):
            npz.read(tmp_path / "in.npz", ["a/b"], case)
    with pytest.raises(InputError, match="wanted 'z'"):
        npz.read(tmp_path / "in.npz", ["z"])
