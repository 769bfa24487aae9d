# locate.py - where the tools and the runtime library are.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds `mxn-compile` and its neighbours, and `libmxn_runtime.so`.

They are looked for in this order: the environment (`MXN_TOOLS`, a folder; `MXN_RUNTIME_LIBRARY`, a file), the installed
package (`mxn/bin`, `mxn/lib`), the build folder of the repository that this file is in, and the search path.
"""
from __future__ import annotations

import ctypes.util
import os
import shutil
from pathlib import Path

from .errors import NotFoundError

PACKAGE = Path(__file__).resolve().parent
LIBRARY = "libmxn_runtime.so"


def build_folder() -> Path | None:
    """The repository's build folder when this package is used from a checkout, else None."""
    root = PACKAGE.parent.parent
    return root / "build" if (root / "CMakePresets.json").exists() else None


def tool(name: str) -> Path:
    """The path of an executable such as `mxn-compile`; NotFoundError when there is none."""
    if folder := os.environ.get("MXN_TOOLS"):
        if _executable(path := Path(folder) / name):
            return path
        raise NotFoundError(f"MXN_TOOLS is {folder}, which holds no executable {name}")
    tried = [PACKAGE / "bin" / name]
    if build := build_folder():
        tried.append(build / "bin" / name)
    for path in tried:
        if _executable(path):
            return path
    if found := shutil.which(name):
        return Path(found)
    raise NotFoundError(f"cannot find {name}: looked for {', '.join(map(str, tried))} and on PATH. Build the project "
                        "(cmake --build build), or set MXN_TOOLS to the folder that holds it.")


def runtime_library() -> str:
    """What to give to dlopen for the runtime; NotFoundError when there is none."""
    if named := os.environ.get("MXN_RUNTIME_LIBRARY"):
        if Path(named).is_file():
            return named
        raise NotFoundError(f"MXN_RUNTIME_LIBRARY is {named}, which is not a file")
    tried = [PACKAGE / "lib" / LIBRARY]
    if build := build_folder():
        tried.append(build / "lib" / LIBRARY)
    for path in tried:
        if path.is_file():
            return str(path)
    if found := ctypes.util.find_library("mxn_runtime"):
        return found
    raise NotFoundError(f"cannot find {LIBRARY}: looked for {', '.join(map(str, tried))} and in the system's library "
                        "folders. Build the project (cmake --build build), or set MXN_RUNTIME_LIBRARY to the file.")


def _executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
