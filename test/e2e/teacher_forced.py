#!/usr/bin/env python3
# teacher_forced.py - a language model's greedy tokens, position by position.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Feeds the recorded prompts with the recorded greedy tokens behind them through a bundle's ragged entry. At each position of the
continuation the best token must be the recorded one, unless the reference itself had two tokens so close there that rounding
decides; the recorded rows of logits must be near. One wrong token doesn't disturb those behind it, so all positions count.

    test/e2e/teacher_forced.py BUNDLE.mxn MODEL_FOLDER [--cases chat,story] [--tokens 12]
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

import mxn
import numpy as np

TOLERANCE = 0.02  # of recorded rows, which are float16 of values up to 26


@dataclass
class Report:
    """What `check` found. `excused` counts positions where the reference's gap allows another token."""

    positions: int = 0
    rows: int = 0  # compared with recorded logits
    excused: int = 0
    largest_difference: float = 0.0  # of such a row
    wrong: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.wrong and self.largest_difference <= TOLERANCE

    def __str__(self) -> str:
        text = (f"{self.positions} positions, {len(self.wrong)} wrong, {self.excused} too close to tell; {self.rows} rows of "
                f"logits, largest difference {self.largest_difference:.4g} ({TOLERANCE} is allowed)")
        return "\n".join([text, *self.wrong])


def check(model: mxn.LanguageModel, folder: Path, cases: Sequence[str] = (), tokens: int | None = None) -> Report:
    """Runs the cases of a model of test/models (default: all), each with at most `tokens` greedy tokens."""
    reference = json.loads((folder / "reference.json").read_text())
    report = Report()
    with np.load(folder / "logits.npz") as recorded:
        for name in cases or reference:
            case = reference[name]
            greedy = case["greedy"][:tokens]
            logits = model.logits(case["ids"] + greedy[:-1])[len(case["ids"]) - 1:]
            if name in recorded.files:
                difference = float(np.abs(logits[0] - recorded[name].astype(np.float32)).max())
                report.largest_difference = max(report.largest_difference, difference)
                report.rows += 1
            for n, (row, token) in enumerate(zip(logits, greedy)):
                report.positions += 1
                behind = float(row.max() - row[token])
                if behind == 0:
                    continue
                # Nowhere is the reference's best token nearer to its second than this.
                if behind < case["smallest_gap"] and n == case.get("smallest_gap_at"):
                    report.excused += 1
                else:
                    report.wrong.append(f"{name}, position {n}: {int(row.argmax())} in place of {token}, by {behind:.4g}")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folder", type=Path, help="of the model, with reference.json and logits.npz")
    parser.add_argument("--cases", default="", help="names of prompts, with commas (default: all)")
    parser.add_argument("--tokens", type=int, help="greedy tokens of each prompt at most (default: all)")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    start = time.monotonic()
    model = mxn.LanguageModel(args.bundle, threads=args.threads)
    report = check(model, args.folder, [c for c in args.cases.split(",") if c], args.tokens)
    print(report)
    print(f"{time.monotonic() - start:.0f} s")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
