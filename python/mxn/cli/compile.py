# compile.py - mxn compile.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compiles an ONNX model to a bundle

Every option that isn't listed here goes to mxn-compile as it is: --opt=0, --target=..., --jobs=N.
`mxn-compile --help` lists them.

--verify-step runs the bundle's functions "main" and "step" on random ragged batches and compares the logits of every row; the
exit status is 1 where they differ.
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
    parser.add_argument("--verify-step", action="store_true", help="compare the bundle's ragged entry with its main")
    parser.add_argument("--verify-rounds", type=int, metavar="N", help="how many batches --verify-step runs")
    parser.add_argument("--verify-seed", type=int, default=0, metavar="N", help="of these batches (default: 0)")
    parser.set_defaults(passes_options_on=True)


def run(args: argparse.Namespace) -> int:
    output = args.output or args.model.with_suffix(".mxn")
    status = subprocess.run([tool(TOOL), args.model, "-o", output, *args.rest]).returncode
    if status < 0:
        print(f"mxn: error: {message_of('', status)}", file=sys.stderr)
    if status or not args.verify_step:
        return 1 if status < 0 else status
    from ..language.verify import ROUNDS, verify_step
    report = verify_step(output, ROUNDS if args.verify_rounds is None else args.verify_rounds, args.verify_seed)
    print(report)
    return 0 if report.ok else 1
