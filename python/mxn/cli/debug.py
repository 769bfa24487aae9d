# debug.py - mxn debug.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""runs a model op by op against a reference and names the first node that differs

Two things are compiled: the model as it is, and the model with every intermediate tensor made an output, which are compared
with the reference in the graph's order. --isolate compiles each node alone instead and feeds it the reference's own inputs, for
models that the compiler refuses as a whole and for errors that add up.

Exit status: 0 all agrees, 1 something differs or an error, 2 the compiler refused the model.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import npz, random_inputs
from ..errors import CompileError
from ..debug.compare import DEFAULT_ATOL, DEFAULT_RTOL
from ..debug.reference import REFERENCES


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--inputs", type=Path, metavar="NPZ", help="an array for each input (default: random ones)")
    parser.add_argument("--case", metavar="NAME", help="take the arrays NAME/INPUT of a file that holds several cases")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE",
                        help="size of a dimension of random inputs, by its name or as INPUT.AXIS")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of random inputs (default: 0)")
    parser.add_argument("--rtol", type=float, default=DEFAULT_RTOL, metavar="R", help="default: %(default)s")
    parser.add_argument("--atol", type=float, default=DEFAULT_ATOL, metavar="A", help="default: %(default)s")
    parser.add_argument("--opt", metavar="N", help="the compiler's --opt")
    parser.add_argument("--reference", choices=REFERENCES, default="onnx", help="default: onnx")
    parser.add_argument("--isolate", action="store_true", help="compile each node alone")
    parser.add_argument("--all", action="store_true", help="print a line for each tensor")


def run(args: argparse.Namespace) -> int:
    from ..debug import Session, first_divergence, graph, report
    model = graph.load(args.model)
    specs = graph.input_specs(model)
    if args.inputs:
        inputs = npz.read(args.inputs, [s.name for s in specs], args.case)
    else:
        dims = random_inputs.parse_dims(args.dim)
        inputs = random_inputs.make(specs, dims, args.seed, graph.index_bounds(model))
    session = Session(args.model, inputs, args.reference, args.rtol, args.atol, {"opt": args.opt})
    try:
        as_it_is = [] if args.isolate else session.as_it_is()
        rows = list(session.isolated()) if args.isolate else session.exposed()
    except CompileError as e:
        print(f"mxn: error: the compiler refused the model: {e}", file=sys.stderr)
        if not args.isolate:
            print("mxn: --isolate compiles and compares each node alone", file=sys.stderr)
        return 2
    if args.all:
        print(report.table(rows, session.values))
    refused = [r for r in rows if r.skipped]
    if first := first_divergence(rows):
        print(report.divergence(first, session.values))
        return 1
    if first := first_divergence(as_it_is):
        print(report.divergence(first, session.values))
        print("Every op agrees when all tensors are outputs, so the fault lies in what happens between ops: fusion, "
              "layouts or memory planning. Compare with --opt=0.")
        return 1
    if args.isolate and refused:
        for row in refused:
            print(f"{report.title(row)}: not compared: {row.skipped}")
    compared = [r.difference for r in rows if r.difference]
    if not compared:
        print("mxn: error: nothing could be compared", file=sys.stderr)
        return 1
    print(f"{len(compared)} tensors agree with the reference ({args.reference}), {len(refused)} not compared; "
          f"greatest errors: {max(d.absolute for d in compared):.3g} absolute, "
          f"{max(d.relative for d in compared):.3g} relative")
    return 0
