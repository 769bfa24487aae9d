# test_debug.py - mxn debug finds the node that is wrong, and none where all is well.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference is made wrong on purpose, since the compiler shouldn't be."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import small_models
from conftest import mxn_command, save
from mxn.cli import main
from mxn.debug import reference


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save(small_models.perceptron(), tmp_path / "net.onnx")


def make_wrong(monkeypatch: pytest.MonkeyPatch, name: str, change: Any) -> None:
    """Lets the reference give change(value) for the tensor `name`."""
    right = reference.evaluate

    def evaluate(*arguments: Any) -> dict[str, Any]:
        values = right(*arguments)
        values[name] = change(values[name])
        return values

    monkeypatch.setattr(reference, "evaluate", evaluate)


@pytest.mark.parametrize("arguments", [(), ("--isolate",), ("--opt", "0"), ("--dim", "N=5")])
def test_agrees(file: Path, arguments: tuple[str, ...]) -> None:
    done = mxn_command("debug", file, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 tensors agree" in done.stdout
    assert [p.name for p in file.parent.iterdir()] == ["net.onnx"]


def test_table(file: Path) -> None:
    done = mxn_command("debug", file, "--all", "--dim", "N=5")
    assert done.returncode == 0, done.stdout + done.stderr
    for op, shape in (("Gemm", "h float32[5, 16]"), ("Softmax", "y float32[5, 3]")):
        assert any(op in line and shape in line and " ok " in line for line in done.stdout.splitlines()), done.stdout


@pytest.mark.parametrize("isolate", [False, True])
def test_names_the_first_wrong_node(file: Path, isolate: bool, monkeypatch: pytest.MonkeyPatch,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    def change(value: np.ndarray) -> np.ndarray:
        value = value.copy()
        value[1, 2] += 0.5
        return value

    make_wrong(monkeypatch, "z", change)
    assert main(["debug", str(file)] + ["--isolate"] * isolate) == 1
    said = capsys.readouterr().out
    assert "node 2 'head' (MatMul) diverges in output 'z'" in said
    assert "[1, 2]" in said and "1 of 12 elements" in said and "0.5" in said
    assert "input 'r': float32[4, 16]" in said


def test_wrong_type_and_shape(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    make_wrong(monkeypatch, "r", lambda value: value.astype(np.float64)[:1])
    assert main(["debug", str(file)]) == 1
    said = capsys.readouterr().out
    assert "'relu'" in said and "float32[4, 16]" in said and "float64[1, 16]" in said


def test_tolerance(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wrong(monkeypatch, "y", lambda value: value + np.float32(0.01))
    assert main(["debug", str(file)]) == 1
    assert main(["debug", str(file), "--atol", "0.02"]) == 0


def test_refused_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's message, and an exit status of its own."""
    model = small_models.unknown_op()
    done = mxn_command("debug", save(model, tmp_path / "odd.onnx"))
    assert done.returncode == 1 and "reference cannot run" in done.stderr  # nor can the reference
    monkeypatch.setattr(reference, "evaluate", lambda *_: {n: np.zeros(4, np.float32) for n in "bc"})
    assert main(["debug", str(tmp_path / "odd.onnx")]) == 2


def test_external_data(tmp_path: Path) -> None:
    onnx.save_model(small_models.perceptron(), tmp_path / "m.onnx", save_as_external_data=True, location="weights.data",
                    size_threshold=0)
    before = sorted(p.name for p in tmp_path.iterdir())
    for arguments in ((), ("--isolate",)):
        done = mxn_command("debug", tmp_path / "m.onnx", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_recorded_inputs(file: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", **{"0/x": np.ones((2, 8), np.float32), "1/x": np.ones((3, 8), np.float32)})
    done = mxn_command("debug", file, "--inputs", tmp_path / "in.npz", "--case", "1", "--all")
    assert done.returncode == 0 and "[3, 16]" in done.stdout
    done = mxn_command("debug", file, "--inputs", tmp_path / "in.npz")
    assert done.returncode == 1 and "--case" in done.stderr


@pytest.mark.slow
def test_real_model(real_model) -> None:
    done = mxn_command("debug", real_model("minilm").file)
    assert done.returncode == 0, done.stdout + done.stderr
