# test_abi.py - the ctypes structs against the C headers.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a program that prints sizes and offsets, so that a changed header is noticed here and not in a crash."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from mxn import abi

ROOT = Path(__file__).resolve().parents[2]
STRUCTS = {"mxn_tensor_info_t": abi.TensorInfo, "mxn_tensor_t": abi.Tensor, "mxn_stats_t": abi.Stats,
           "mxn_context_options_t": abi.ContextOptions, "mxn_cache_group_info_t": abi.CacheGroupInfo,
           "mxn_cache_options_t": abi.CacheOptions, "mxn_cache_stats_t": abi.CacheStats, "mxn_step_input_t": abi.StepInput,
           "mxn_step_output_t": abi.StepOutput}


@pytest.mark.parametrize("name", STRUCTS)
def test_layout(name: str, tmp_path: Path) -> None:
    compiler = shutil.which("clang-22") or shutil.which("cc")
    if not compiler or not (ROOT / "include/mxn/Runtime/Runtime.h").exists():
        pytest.skip("needs a C compiler and the runtime's header")
    fields = [f for f, *_ in STRUCTS[name]._fields_]
    source = "#include <stddef.h>\n#include <stdio.h>\n#include <mxn/Runtime/Cache.h>\nint main(void) {\n"
    source += f'  printf("%zu", sizeof({name}));\n'
    source += "".join(f'  printf(" %zu", offsetof({name}, {f}));\n' for f in fields) + "}\n"
    (tmp_path / "layout.c").write_text(source)
    subprocess.run([compiler, "-I", ROOT / "include", tmp_path / "layout.c", "-o", tmp_path / "layout"], check=True)
    size, *offsets = map(int, subprocess.check_output([tmp_path / "layout"]).split())
    import ctypes
    assert size == ctypes.sizeof(STRUCTS[name])
    assert offsets == [getattr(STRUCTS[name], f).offset for f in fields]
