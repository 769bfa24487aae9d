# context.py - what one thread needs to call a model.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A context of the runtime: bind inputs, run, look at the outputs."""
from __future__ import annotations

import weakref
from ctypes import byref, c_void_p
from typing import Any, Collection, Mapping, Sequence

import numpy as np

from .abi import ContextOptions, Stats, Tensor, library, out_handle
from .signature import Signature
from .tensors import as_array, from_struct, to_struct


class Context:
    """One thread's context of a model; `threads` is how many threads its kernels run on, 0 for one a core."""

    def __init__(self, model: c_void_p, threads: int = 0, owner: Any = None):
        self._library, self._owner = library(), owner  # the owner keeps the model open
        self._handle = out_handle(self._library.context_create, model, byref(ContextOptions(threads=threads)))
        self._close = weakref.finalize(self, self._library.context_destroy, self._handle)
        self._kept: list[np.ndarray] = []
        self._donated: list[np.ndarray] = []
        self._outputs = 0

    def bind(self, function: Signature, values: Sequence[Any],
             donate: Collection[str] | Mapping[str, np.ndarray] = ()) -> None:
        """Sets the inputs, one value each in the function's order; RunError or InputError when they don't fit. The call may
        write to the memory of the inputs named in `donate`, or to the arrays that it maps them to: see Model.run."""
        memory = donate if isinstance(donate, Mapping) else dict.fromkeys(donate, True)
        pairs = [to_struct(as_array(v, spec), spec, memory.get(spec.name, False))
                 for v, spec in zip(values, function.inputs, strict=True)]
        structs = (Tensor * max(len(pairs), 1))(*[p[0] for p in pairs])
        self._library.context_bind(self._handle, function.index, structs, len(pairs))
        self._kept = [p[1] for p in pairs]  # the runtime reads them when it runs
        self._donated = [p[1] for p, spec in zip(pairs, function.inputs) if spec.name in memory]
        self._outputs = len(function.outputs)

    def run(self) -> None:
        """Runs the bound function; RunError when a kernel or a guard of the model refuses the values."""
        self._library.context_run(self._handle)

    def outputs(self, copy: bool = True) -> list[np.ndarray]:
        """The outputs in order; those that took over donated memory are views of it. Without `copy` the others are valid only
        until the next bind or run."""
        found = []
        for i in range(self._outputs):
            tensor = Tensor()
            self._library.context_output(self._handle, i, byref(tensor))
            found.append(from_struct(tensor, copy, self._donated))
        return found

    def stats(self) -> dict[str, int]:
        """What the last run did: bytes, dispatches, nanoseconds, by the names of mxn_stats_t."""
        stats = Stats()
        self._library.context_stats(self._handle, byref(stats))
        return {name: getattr(stats, name) for name, _ in Stats._fields_ if name != "struct_size"}

    def close(self) -> None:
        """Gives the context's memory back; arrays from outputs(copy=False) are then dangling."""
        self._close()
