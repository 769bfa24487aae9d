# run.py - mxn run.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""runs a bundle

Inputs come from an .npz file with an array for each input, or are made up. Without --outputs a line for each output is
printed. --benchmark runs again and again, for 1.5 seconds and five times at least, and prints the median time.
"""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from .. import npz, random_inputs
from ..model import Model, load, ordered
from ..signature import Signature
from ..summary import summary

WARM_UP_RUNS, LEAST_RUNS, LEAST_SECONDS = 3, 5, 1.5


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE.mxn")
    parser.add_argument("--inputs", type=Path, metavar="NPZ", help="an array for each input (default: random ones)")
    parser.add_argument("--case", metavar="NAME", help="take the arrays NAME/INPUT of a file that holds several cases")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE",
                        help="size of a dimension of random inputs, by its name or as INPUT.AXIS")
    parser.add_argument("--outputs", type=Path, metavar="NPZ", help="write the outputs there")
    parser.add_argument("--function", default="main", metavar="NAME", help="which function (default: main)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads (default: one for each core)")
    parser.add_argument("--benchmark", action="store_true", help="measure the time of a run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    start = time.perf_counter()
    model = load(args.bundle, args.threads)
    report: dict[str, object] = {"load_s": time.perf_counter() - start}
    signature = model.function(args.function)
    if args.inputs:
        inputs = npz.read(args.inputs, [s.name for s in signature.inputs], args.case)
    else:
        inputs = random_inputs.make(signature.inputs, random_inputs.parse_dims(args.dim))
    outputs = model.run(inputs, args.function)
    if args.outputs:
        npz.write(args.outputs, outputs)
    if args.benchmark:
        report |= benchmark(model, signature, inputs)
    if args.json:
        report["outputs"] = {n: {"type": a.dtype.name, "shape": a.shape} for n, a in outputs.items()}
        print(json.dumps(report))
        return 0
    if not args.outputs:
        for name, array in outputs.items():
            print(f"{name}: {summary(array)}")
    if args.benchmark:
        print(f"median {report['median_ms']:.3f} ms, least {report['min_ms']:.3f} ms of {report['runs']} runs")
    return 0


def benchmark(model: Model, signature: Signature, inputs: dict[str, np.ndarray]) -> dict[str, float]:
    """Times of binding, running and fetching the outputs without copying them, in milliseconds."""
    context, values = model.context(), ordered(signature, inputs)

    def once() -> float:
        start = time.perf_counter()
        context.bind(signature, values)
        context.run()
        context.outputs(copy=False)
        return time.perf_counter() - start

    for _ in range(WARM_UP_RUNS):
        once()
    times: list[float] = []
    while len(times) < LEAST_RUNS or sum(times) < LEAST_SECONDS:
        times.append(once())
    return {"median_ms": float(np.median(times)) * 1e3, "min_ms": min(times) * 1e3, "runs": len(times)}
