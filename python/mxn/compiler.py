# compiler.py - runs the compiler.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`mxn.compile` runs the executable mxn-compile on a file or on a model in memory."""
from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CompileError
from .locate import tool

if TYPE_CHECKING:
    from onnx import ModelProto

TOOL = "mxn-compile"


class _TemporaryPath(type(Path())):
    """A path whose file is deleted when the object goes away."""

    @classmethod
    def make(cls, suffix: str) -> "_TemporaryPath":
        number, name = tempfile.mkstemp(suffix=suffix)
        os.close(number)
        path = cls(name)
        weakref.finalize(path, _delete, name)
        return path


def _delete(name: str) -> None:
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass


def compile(model: "str | os.PathLike | ModelProto", output: str | os.PathLike | None = None, *,  # noqa: A001
            directory: str | os.PathLike | None = None, **options: Any) -> Path:
    """Compiles an ONNX model and returns the bundle's path.

    `model` is a file or a ModelProto; `directory` is the folder of a ModelProto's external data and tokenizer. Without `output` the bundle
    of a file gets the file's name with the suffix .mxn, and that of a ModelProto lives as long as the returned path object.
    Every other option is mxn-compile's own, with underscores for hyphens: `opt=0` is `--opt=0`, `require_step=True` is
    `--require-step`, a list is joined by commas, None leaves the option out. CompileError carries the compiler's message.
    """
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        bundle = Path(output) if output is not None else path.with_suffix(".mxn")
        run_tool(path, bundle, options)
        return bundle
    bundle = Path(output) if output is not None else _TemporaryPath.make(".mxn")
    if directory is None:  # what lies beside the temporary file has nothing to do with the model
        options = {"no_attachments": True, **options}
    # In the folder of its external data, if it has one, since locations are relative to the model.
    with tempfile.NamedTemporaryFile(suffix=".onnx", prefix=".mxn-", dir=directory) as file:
        try:
            file.write(model.SerializeToString())
        except ValueError as e:
            raise CompileError(f"the model cannot be written for the compiler: {e}. Models above 2 GB need external "
                               "data: save it with onnx.save_model(..., save_as_external_data=True).") from None
        file.flush()
        try:
            run_tool(Path(file.name), bundle, options)
        except CompileError as e:  # the file's name says nothing to the caller
            text = str(e).replace(file.name, "the model")
            raise CompileError(text, e.command, e.status, e.stderr) from None
    return bundle


def flags(options: dict[str, Any]) -> list[str]:
    """Command-line flags of keyword options."""
    found = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            found.append(flag)
        elif value is False:
            found.append(flag + "=false")
        elif isinstance(value, (list, tuple)):
            found.append(f"{flag}={','.join(map(str, value))}")
        elif value is not None:
            found.append(f"{flag}={value}")
    return found


def run_tool(model: Path, bundle: Path, options: dict[str, Any]) -> None:
    """Runs mxn-compile; CompileError when it fails."""
    command = [str(tool(TOOL)), str(model), "-o", str(bundle), *flags(options)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    except OSError as e:
        raise CompileError(f"cannot run {command[0]}: {e.strerror}", command) from None
    if done.returncode:
        raise CompileError(message_of(done.stderr, done.returncode), command, done.returncode, done.stderr)


def message_of(stderr: str, status: int) -> str:
    """What to tell of a failed run of the compiler."""
    text = stderr.strip()
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"{TOOL} was ended by {name}, which is a fault of the compiler" + (f":\n{text}" if text else "")
    return text.removeprefix(f"{TOOL}: error: ") or f"{TOOL} failed with exit status {status}"
