# __init__.py - the command mxn.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `mxn`: one module for each subcommand, with `add` (its arguments) and `run` (what it does, an exit status)."""
from __future__ import annotations

import argparse
import importlib
import os
import sys

from .. import __version__
from ..errors import Error

COMMANDS = ("compile", "run", "chat", "bench", "inspect", "debug")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0 good, 1 an error (its text is on stderr), 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="mxn", description="Compiles ONNX models to bundles and runs them.")
    parser.add_argument("--version", action="version", version=f"mxn {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    arguments = sys.argv[1:] if arguments is None else arguments
    # What one subcommand needs, such as the package onnx, is not imported for another.
    for name in arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS:
        module = importlib.import_module(f".{name}", __name__)
        summary = module.__doc__.splitlines()[0]
        sub = commands.add_parser(name, help=summary, description=module.__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add(sub)
        sub.set_defaults(run=module.run)
    args, rest = parser.parse_known_args(arguments)
    if rest and not getattr(args, "passes_options_on", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Error as e:
        print(f"mxn: error: {e}", file=sys.stderr)
        return 1
    except OSError as e:
        print(f"mxn: error: {e.filename or 'the standard output'}: {e.strerror or e}", file=sys.stderr)
        if not e.filename:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's end doesn't fail too
        return 1
    except KeyboardInterrupt:
        return 130
