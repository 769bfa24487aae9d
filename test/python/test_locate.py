# test_locate.py - where tools and the runtime are found, and how the compiler is called.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

from pathlib import Path

import mxn
import pytest
from mxn import compiler, locate


def script(path: Path, text: str) -> Path:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MXN_TOOLS", str(tmp_path))
    return tmp_path


def test_environment_wins(tools: Path) -> None:
    with pytest.raises(mxn.NotFoundError, match="MXN_TOOLS"):
        locate.tool("mxn-compile")
    path = script(tools / "mxn-compile", "")
    assert locate.tool("mxn-compile") == path


def test_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MXN_TOOLS", raising=False)
    monkeypatch.setattr(locate, "PACKAGE", tmp_path / "python" / "mxn")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mxn.NotFoundError, match="MXN_TOOLS"):
        locate.tool("mxn-some")
    found = script(tmp_path / "mxn-some", "")
    assert locate.tool("mxn-some") == found
    (tmp_path / "CMakePresets.json").write_text("{}")
    (tmp_path / "build" / "bin").mkdir(parents=True)
    built = script(tmp_path / "build" / "bin" / "mxn-some", "")
    assert locate.tool("mxn-some") == built
    (tmp_path / "python" / "mxn" / "bin").mkdir(parents=True)
    inside = script(tmp_path / "python" / "mxn" / "bin" / "mxn-some", "")
    assert locate.tool("mxn-some") == inside


def test_flags() -> None:
    options = dict(opt=0, require_step=True, remarks=False, target=["x86-64-v3", "x86-64-v4"], jobs=None)
    assert compiler.flags(options) == ["--opt=0", "--require-step", "--remarks=false", "--target=x86-64-v3,x86-64-v4"]


def test_message_of_the_compiler(tools: Path) -> None:
    script(tools / "mxn-compile", 'echo "mxn-compile: error: no such op" >&2; exit 3')
    with pytest.raises(mxn.CompileError, match="^no such op$") as caught:
        mxn.compile("m.onnx", opt=0)
    assert caught.value.status == 3 and caught.value.command[1:] == ["m.onnx", "-o", "m.mxn", "--opt=0"]


def test_a_crash_is_an_error(tools: Path) -> None:
    script(tools / "mxn-compile", "kill -SEGV $$")
    with pytest.raises(mxn.CompileError, match="SIGSEGV"):
        mxn.compile("m.onnx")


def test_a_bad_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mxn.abi import Library
    (tmp_path / "bad.so").write_text("no library")
    with pytest.raises(mxn.NotFoundError, match="bad.so"):
        Library(str(tmp_path / "bad.so"))


def test_models_in_memory_have_no_file_name(tools: Path) -> None:
    from onnx import ModelProto
    script(tools / "mxn-compile", 'echo "$1: error: no such op" >&2; exit 1')
    with pytest.raises(mxn.CompileError, match="^the model: error: no such op$"):
        mxn.compile(ModelProto())
