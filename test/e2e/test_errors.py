# test_errors.py - what goes wrong is said, and nothing crashes.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each mistake that a user can make gives a message on stderr that names what is wrong, and an exit status from 1 to 127."""
from __future__ import annotations

import subprocess
from pathlib import Path

import mxn
import numpy as np
import onnx
import pytest
import small_models
from conftest import command, mxn_command, save
from mxn.locate import tool
from onnx import TensorProto, helper


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """The command failed in the proper way, and its message holds all the words."""
    assert 0 < done.returncode < 128, (done.returncode, done.stderr)
    assert "error: " in done.stderr
    for sign in ("Traceback", "Stack dump", "PLEASE submit a bug report", "terminate called"):
        assert sign not in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"


def compile_with(model: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return command(tool("mxn-compile"), model, "-o", out)


@pytest.fixture(scope="module")
def sum_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mxn.compile(small_models.addition(), tmp_path_factory.mktemp("sum") / "sum.mxn")


# Compiling ---------------------------------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    refused(compile_with(tmp_path / "none.onnx", tmp_path / "out.mxn"), "none.onnx")
    assert not (tmp_path / "out.mxn").exists()
    with pytest.raises(mxn.CompileError, match="none.onnx"):
        mxn.compile(tmp_path / "none.onnx")


@pytest.mark.parametrize("content", [b"", b"This is text.\n", b"\x08\x08\x12\xff\xff\xff\xff\x07abc", bytes(1000)],
                         ids=["empty", "text", "cut off", "zeros"])
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.onnx").write_bytes(content)
    refused(compile_with(tmp_path / "odd.onnx", tmp_path / "out.mxn"), "odd.onnx")
    assert not (tmp_path / "out.mxn").exists()


def test_truncated_model(tmp_path: Path) -> None:
    whole = small_models.perceptron().SerializeToString()
    (tmp_path / "cut.onnx").write_bytes(whole[:len(whole) // 2])
    refused(compile_with(tmp_path / "cut.onnx", tmp_path / "out.mxn"), "cut.onnx")


def test_unsupported_op(tmp_path: Path) -> None:
    file = save(small_models.unknown_op(), tmp_path / "odd.onnx")
    refused(compile_with(file, tmp_path / "out.mxn"), "Frobnicate", "nowhere.example", "the_odd_one")
    with pytest.raises(mxn.CompileError, match="Frobnicate"):
        mxn.compile(small_models.unknown_op())


def test_opset_of_the_future(tmp_path: Path) -> None:
    model = small_models.addition()
    model.opset_import[0].version = 99
    refused(compile_with(save(model, tmp_path / "new.onnx"), tmp_path / "out.mxn"), "opset", "99")


def test_missing_external_data(tmp_path: Path) -> None:
    model = small_models.perceptron()
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="gone.data", size_threshold=0)
    (tmp_path / "gone.data").unlink()
    refused(compile_with(tmp_path / "m.onnx", tmp_path / "out.mxn"), "gone.data")


def test_output_in_no_folder(tmp_path: Path) -> None:
    file = save(small_models.addition(), tmp_path / "m.onnx")
    refused(compile_with(file, tmp_path / "nowhere" / "out.mxn"), "out.mxn")


def test_output_is_a_folder(tmp_path: Path) -> None:
    file = save(small_models.addition(), tmp_path / "m.onnx")
    (tmp_path / "out.mxn").mkdir()
    refused(compile_with(file, tmp_path / "out.mxn"), "out.mxn", "directory")


def test_model_is_a_folder(tmp_path: Path) -> None:
    refused(compile_with(tmp_path, tmp_path / "out.mxn"), "is a directory")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target, word", [("toaster", "'toaster'"), ("cpu:z80", "'z80'")])
def test_unknown_target(tmp_path: Path, target: str, word: str) -> None:
    file = save(small_models.addition(), tmp_path / "m.onnx")
    refused(command(tool("mxn-compile"), file, "-o", tmp_path / "out.mxn", f"--target={target}"), word)
    with pytest.raises(mxn.CompileError, match=word):
        mxn.compile(small_models.addition(), target=target)
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_full_disk(sum_bundle: Path, tmp_path: Path) -> None:
    """/dev/full stands for a full disk, and a device must not be replaced by a file."""
    full = Path("/dev/full")
    file = save(small_models.addition(), tmp_path / "m.onnx")
    np.savez(tmp_path / "in.npz", a=np.ones(3, np.float32), b=np.ones(3, np.float32))
    for arguments in (["compile", file, "-o", full],
                      ["run", sum_bundle, "--inputs", tmp_path / "in.npz", "--outputs", full]):
        refused(mxn_command(*arguments), "can't write /dev/full: No space left on device")
        assert full.is_char_device()
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    inputs = [f"--input={name}={tmp_path / 'x.npy'}" for name in "ab"]
    for extra in (f"--output=c={full}", f"--profile={full}"):
        refused(command(tool("mxn-run"), sum_bundle, *inputs, extra), "can't write /dev/full: No space left on device")
        assert full.is_char_device()
    with open(full, "w") as out:
        for arguments in ([tool("mxn-run"), sum_bundle, *inputs], [tool("mxn-inspect"), sum_bundle]):
            done = subprocess.run(arguments, stdout=out, stderr=subprocess.PIPE, text=True)
            refused(done, "can't write the standard output")


def test_string_tensors(tmp_path: Path) -> None:
    words = (TensorProto.STRING, ["N"])
    model = small_models.model([helper.make_node("Identity", ["a"], ["b"], "same")], {"a": words}, {"b": words})
    done = compile_with(save(model, tmp_path / "m.onnx"), tmp_path / "out.mxn")
    if done.returncode:
        refused(done, "string")


# Running -----------------------------------------------------------------------------------------------------------


def run_with(bundle: Path, folder: Path, **arrays: np.ndarray) -> subprocess.CompletedProcess[str]:
    np.savez(folder / "in.npz", **arrays)
    return mxn_command("run", bundle, "--inputs", folder / "in.npz")


def test_missing_bundle(tmp_path: Path) -> None:
    refused(mxn_command("run", tmp_path / "none.mxn"), "none.mxn")
    with pytest.raises(mxn.RunError, match="none.mxn"):
        mxn.load(tmp_path / "none.mxn")


def test_bundle_is_a_folder(tmp_path: Path) -> None:
    for name in ("mxn-run", "mxn-inspect"):
        refused(command(tool(name), tmp_path), "is not a regular file")


@pytest.mark.parametrize("content", [b"", b"This is text.\n" * 100, bytes(65536)], ids=["empty", "text", "zeros"])
def test_not_a_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.mxn").write_bytes(content)
    refused(mxn_command("run", tmp_path / "odd.mxn"))


def test_truncated_bundle(sum_bundle: Path, tmp_path: Path) -> None:
    whole = sum_bundle.read_bytes()
    for length in (10, 64, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.mxn").write_bytes(whole[:length])
        refused(mxn_command("run", tmp_path / "cut.mxn"))


def test_wrong_input_name(sum_bundle: Path, tmp_path: Path) -> None:
    x = np.ones(3, np.float32)
    refused(run_with(sum_bundle, tmp_path, a=x, bee=x), "'bee'", "'b'")
    with pytest.raises(mxn.InputError, match="'b'.*missing"):
        mxn.load(sum_bundle).run({"a": x})


def test_wrong_type(sum_bundle: Path, tmp_path: Path) -> None:
    refused(run_with(sum_bundle, tmp_path, a=np.ones(3, np.float32), b=np.ones(3, np.int64)), "b", "float32", "int64")


def test_wrong_rank(sum_bundle: Path, tmp_path: Path) -> None:
    refused(run_with(sum_bundle, tmp_path, a=np.ones(3, np.float32), b=np.ones((3, 1), np.float32)), "b", "2 dimensions")


def test_sizes_that_must_agree(sum_bundle: Path, tmp_path: Path) -> None:
    refused(run_with(sum_bundle, tmp_path, a=np.ones(3, np.float32), b=np.ones(4, np.float32)), "b", "3", "4")


def test_wrong_size() -> None:
    model = mxn.load(mxn.compile(small_models.perceptron()))
    with pytest.raises(mxn.RunError, match=r"x.*9.*8"):
        model.run({"x": np.ones((2, 9), np.float32)})
    assert model.run({"x": np.ones((2, 8), np.float32)})["y"].shape == (2, 3)  # and it still works


def test_unknown_function(sum_bundle: Path) -> None:
    refused(mxn_command("run", sum_bundle, "--function", "other"), "'other'", "'main'")


def test_bad_npz(sum_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.npz").write_bytes(b"PK\x03\x04 but no archive")
    refused(mxn_command("run", sum_bundle, "--inputs", tmp_path / "in.npz"), "in.npz")


def test_wrong_usage() -> None:
    for arguments in ([], ["run"], ["run", "a.mxn", "--no-such-option"], ["no-such-command"]):
        assert mxn_command(*arguments).returncode == 2


def test_no_tools(tmp_path: Path) -> None:
    refused(mxn_command("compile", "a.onnx", MXN_TOOLS=str(tmp_path)), "MXN_TOOLS", "mxn-compile")
    refused(mxn_command("run", "a.mxn", MXN_RUNTIME_LIBRARY=str(tmp_path / "none.so")), "MXN_RUNTIME_LIBRARY")
