# test_models.py - real models give the recorded outputs.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every case of a model, whose sizes differ, from one bundle: from Python and from the command line."""
from __future__ import annotations

from pathlib import Path

import mxn
import numpy as np
import pytest
from conftest import command, mxn_command
from mxn.locate import tool

MODELS = ["magika", "minilm", "vad", "vad-16k"]
RTOL, ATOL = 1e-3, 1e-4  # float32


def check(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> None:
    assert set(got) == set(want)
    for name, array in want.items():
        assert got[name].dtype == array.dtype and got[name].shape == array.shape, name
        np.testing.assert_allclose(got[name], array, RTOL, ATOL, err_msg=name)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("threads", [1, 0])
def test_python(name: str, threads: int, real_model, bundle) -> None:
    model = mxn.load(bundle(name), threads=threads)
    expected = real_model(name).cases("expected")
    for case, inputs in real_model(name).cases("inputs").items():
        check(model.run(inputs), expected[case])


@pytest.mark.parametrize("name", MODELS)
def test_without_optimisation(name: str, real_model, bundle) -> None:
    model = mxn.load(bundle(name, opt=0))
    case, inputs = next(iter(real_model(name).cases("inputs").items()))
    check(model.run(inputs), real_model(name).cases("expected")[case])


@pytest.mark.parametrize("name", MODELS)
def test_same_bits_for_any_threads(name: str, real_model, bundle) -> None:
    """Threads share the tiles of a result; no sum is cut."""
    one, more = (mxn.load(bundle(name), threads=threads) for threads in (1, 3))
    for inputs in real_model(name).cases("inputs").values():
        want, got = one.run(inputs), more.run(inputs)
        for tensor, array in want.items():
            assert array.tobytes() == got[tensor].tobytes(), tensor


@pytest.mark.parametrize("name", MODELS)
def test_mxn_run(name: str, real_model, bundle, tmp_path: Path) -> None:
    model = real_model(name)
    for case, want in model.cases("expected").items():
        out = tmp_path / f"{case}.npz"
        done = mxn_command("run", bundle(name), "--inputs", model.folder / "inputs.npz", "--case", case, "--outputs", out)
        assert done.returncode == 0, done.stderr
        check(dict(np.load(out)), want)


@pytest.mark.parametrize("name", MODELS)
def test_runner_without_python(name: str, real_model, bundle, tmp_path: Path) -> None:
    """mxn-run, which needs nothing but the runtime."""
    model = real_model(name)
    for case, want in model.cases("expected").items():
        arguments = []
        for i, (tensor, array) in enumerate(model.cases("inputs")[case].items()):
            np.save(tmp_path / f"in{i}.npy", array)
            arguments += ["--input", f"{tensor}={tmp_path / f'in{i}.npy'}"]
        for i, tensor in enumerate(want):
            arguments += ["--output", f"{tensor}={tmp_path / f'out{i}.npy'}"]
        done = command(tool("mxn-run"), bundle(name), *arguments)
        assert done.returncode == 0, done.stderr
        check({tensor: np.load(tmp_path / f"out{i}.npy") for i, tensor in enumerate(want)}, want)


@pytest.mark.parametrize("name", MODELS)
def test_compile_command(name: str, real_model, tmp_path: Path) -> None:
    """The executable alone, and the same bytes from two runs."""
    files = [tmp_path / "a.mxn", tmp_path / "b.mxn"]
    for file in files:
        done = command(tool("mxn-compile"), real_model(name).file, "-o", file)
        assert done.returncode == 0, done.stderr
    assert files[0].read_bytes() == files[1].read_bytes()
