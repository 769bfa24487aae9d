# report.py - what a debugging found, as text.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tables and paragraphs for people."""
from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from ..summary import signature_of, summary
from .session import Row


def title(row: Row) -> str:
    """The node of a row: "node 7 'layer.0/MatMul' (MatMul)"."""
    domain = f"{row.node.domain}." if row.node.domain not in ("", "ai.onnx") else ""
    name = f" {row.node.name!r}" if row.node.name else ""
    return f"node {row.number}{name} ({domain}{row.node.op_type})"


def table(rows: list[Row], values: Mapping[str, Any]) -> str:
    """One line an output: number, op, greatest errors, type and shape, name."""
    lines = [f"{'node':>6} {'':4} {'max abs':>10} {'max rel':>10}  {'op':24} output"]
    for r in rows:
        want = values.get(r.output)
        shown = f"{r.output} {signature_of(np.asarray(want))}" if isinstance(want, (np.ndarray, np.generic)) else r.output
        if r.difference is None:
            verdict, absolute, relative, shown = "skip", "-", "-", f"{shown}: {r.skipped}"
        else:
            verdict = "ok" if r.difference.ok else "BAD"
            absolute, relative = f"{r.difference.absolute:.2e}", f"{r.difference.relative:.2e}"
            if not r.difference.ok and not r.difference.count:
                absolute = relative = "-"
        lines.append(f"{r.number:>6} {verdict:4} {absolute:>10} {relative:>10}  {r.node.op_type:24} {shown}")
    return "\n".join(lines)


def divergence(row: Row, values: Mapping[str, Any]) -> str:
    """All that is known of a node that diverges: its output's error and its inputs."""
    d = row.difference
    lines = [f"{title(row)} diverges in output {row.output!r}", f"  reference: {summary(np.asarray(values[row.output]))}"]
    if d.count:
        lines += [f"  max abs error {d.absolute:.6g}, max rel error {d.relative:.6g}",
                  f"  {d.count} of {np.asarray(values[row.output]).size} elements beyond the tolerance, the worst at "
                  f"{list(d.where)}: got {d.got}, expected {d.want}"]
    else:
        lines.append(f"  the output {d.reason}")
    for name in filter(None, row.node.input):
        value = values.get(name)
        text = summary(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else "a weight or a constant"
        lines.append(f"  input {name!r}: {text}")
    return "\n".join(lines)
