# inspect.py - mxn inspect.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""says what a bundle holds

Options go to mxn-inspect as they are; `mxn-inspect --help` lists them.
"""
from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from ..locate import tool


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE.mxn")
    parser.set_defaults(passes_options_on=True)


def run(args: argparse.Namespace) -> int:
    status = subprocess.run([tool("mxn-inspect"), args.bundle, *args.rest]).returncode
    return 1 if status < 0 else status
