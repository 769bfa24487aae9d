# compile.py - mxn compile.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compiles an ONNX model to a bundle

Every option that isn't listed here goes to mxn-compile as it is: --opt=0, --target=..., --jobs=N.
`mxn-compile --help` lists them.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ..compiler import TOOL, message_of
from ..locate import tool


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("-o", "--output", type=Path, metavar="BUNDLE.mxn", help="default: the model's name with .mxn")
    parser.set_defaults(passes_options_on=True)


def run(args: argparse.Namespace) -> int:
    output = args.output or args.model.with_suffix(".mxn")
    status = subprocess.run([tool(TOOL), args.model, "-o", output, *args.rest]).returncode
    if status < 0:
        print(f"mxn: error: {message_of('', status)}", file=sys.stderr)
    return 1 if status < 0 else status
