# test_python.py - the package mxn on small models.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compile, load and run from Python."""
from __future__ import annotations

import threading
from pathlib import Path

import mxn
import numpy as np
import pytest
import small_models
from conftest import save


@pytest.fixture(scope="module")
def model() -> mxn.Model:
    return mxn.load(mxn.compile(small_models.perceptron()))


def batch(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((size, 8)).astype(np.float32)


def test_signature(model: mxn.Model) -> None:
    assert "main" in model.functions
    assert [(s.name, s.dtype, s.shape[1]) for s in model.inputs.values()] == [("x", np.float32, 8)]
    assert [(s.name, s.dtype, s.shape[1]) for s in model.outputs.values()] == [("y", np.float32, 3)]
    assert not isinstance(model.inputs["x"].shape[0], int)


def test_any_batch(model: mxn.Model) -> None:
    for size in (1, 7, 2, 33):
        x = batch(size, size)
        np.testing.assert_allclose(model.run({"x": x})["y"], small_models.perceptron_result(x), 1e-4, 1e-5)


def test_outputs_are_copies(model: mxn.Model) -> None:
    first = model.run({"x": batch(2)})["y"]
    kept = first.copy()
    model.run({"x": batch(2, 5)})
    np.testing.assert_array_equal(first, kept)


def test_kinds_of_input(model: mxn.Model) -> None:
    """Lists, arrays of a foreign byte order, strided ones, and whatever has DLPack."""
    class Foreign:
        def __init__(self, array: np.ndarray):
            self.array = array

        def __dlpack__(self, **arguments: object) -> object:
            return self.array.__dlpack__(**arguments)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.array.__dlpack_device__()

    x = batch(3)
    want = model.run({"x": x})["y"]
    strided = np.repeat(x, 2, axis=1)[:, ::2]
    for given in (x.tolist(), x.astype(">f4"), strided, np.asfortranarray(x), Foreign(x)):
        np.testing.assert_array_equal(model.run({"x": given})["y"], want)


def test_many_threads(model: mxn.Model) -> None:
    wrong: list[object] = []

    def call(seed: int) -> None:
        try:
            for size in (1, 5, 3):
                x = batch(size, seed)
                np.testing.assert_allclose(model.run({"x": x})["y"], small_models.perceptron_result(x), 1e-4, 1e-5)
        except BaseException as e:  # reported by the main thread
            wrong.append(e)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_file_gets_its_name(tmp_path: Path) -> None:
    file = save(small_models.perceptron(), tmp_path / "net.onnx")
    assert mxn.compile(str(file), opt=0) == tmp_path / "net.mxn"
    assert mxn.load(tmp_path / "net.mxn").run({"x": batch(1)})["y"].shape == (1, 3)


def test_temporary_bundle_goes_away() -> None:
    path = mxn.compile(small_models.addition())
    name = str(path)
    loaded = mxn.load(path)
    del path
    np.testing.assert_array_equal(loaded.run({"a": [1, 2], "b": [3, 4]})["c"], [4, 6])
    del loaded
    assert not Path(name).exists()


def test_compiling_leaves_only_the_bundle(tmp_path: Path) -> None:
    mxn.compile(small_models.addition(), tmp_path / "a.mxn", directory=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mxn"]
