# session.py - one debugging of one model.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model op by op against a reference."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import numpy as np
from onnx import ModelProto, NodeProto

from ..compiler import compile as compile_model
from ..errors import Error
from ..model import load as load_bundle
from . import graph, reference
from .compare import DEFAULT_ATOL, DEFAULT_RTOL, Difference, compare


@dataclass(frozen=True)
class Row:
    """One output of one node: what came of its comparison, or why there was none (`skipped`)."""

    number: int
    node: NodeProto
    output: str
    difference: Difference | None = None
    skipped: str = ""


@dataclass
class Session:
    """A model, its inputs and the reference's value of every tensor. `options` are those of mxn.compile."""

    path: Path
    inputs: dict[str, np.ndarray]
    which: str = "onnx"
    rtol: float = DEFAULT_RTOL
    atol: float = DEFAULT_ATOL
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = graph.load(self.path)
        self.values = reference.evaluate(self.which, self.path, self.inputs)
        self.values |= self.inputs

    def as_it_is(self) -> list[Row]:
        """Compares the outputs of the model as the compiler sees it in use, with everything fused."""
        wanted = {o.name for o in self.model.graph.output}
        return [row for row in self._rows(self._run(self.model, self.inputs)) if row.output in wanted]

    def exposed(self) -> list[Row]:
        """Compares every tensor of the main graph; all of them are outputs of one compiled model."""
        model = ModelProto()
        model.CopyFrom(self.model)
        graph.expose(model, self.values)
        return list(self._rows(self._run(model, self.inputs)))

    def isolated(self) -> Iterator[Row]:
        """Compares every node alone, fed with the reference's inputs. A node that the compiler or the runtime refuses is
        a row that is skipped, with their message."""
        full = graph.load(self.path, external_data=True)
        for number, node in graph.steps(self.model):
            try:
                alone = graph.isolate(full, node, self.values)
                got = self._run(alone, {i.name: np.asarray(self.values[i.name]) for i in alone.graph.input})
            except Error as e:
                yield Row(number, node, next(filter(None, node.output), ""), skipped=str(e))
                continue
            yield from self._compare(number, node, got)

    def _run(self, model: ModelProto, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        bundle = compile_model(model, directory=self.path.resolve().parent, **self.options)
        return load_bundle(bundle).run(inputs)

    def _rows(self, got: dict[str, np.ndarray]) -> Iterator[Row]:
        for number, node in graph.steps(self.model):
            yield from self._compare(number, node, got)

    def _compare(self, number: int, node: NodeProto, got: dict[str, np.ndarray]) -> Iterator[Row]:
        for name in filter(None, node.output):
            want = self.values.get(name)
            if not graph.is_tensor(want):
                yield Row(number, node, name, skipped="not a numeric tensor")
            elif name not in got:
                yield Row(number, node, name, skipped="not an output of what was compiled")
            else:
                values = node.op_type not in graph.RANDOM_OPS
                yield Row(number, node, name, compare(got[name], want, self.rtol, self.atol, values))


def first_divergence(rows: list[Row]) -> Row | None:
    """The first row in the graph's order that is beyond the tolerance."""
    return next((r for r in rows if r.difference and not r.difference.ok), None)
