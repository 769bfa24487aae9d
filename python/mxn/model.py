# model.py - a bundle, loaded.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`mxn.load(bundle)` gives a Model; `Model.run` calls one of its functions."""
from __future__ import annotations

import difflib
import os
import threading
import weakref
from ctypes import byref, c_char_p, c_uint64, c_void_p, string_at
from typing import Any, Collection, Mapping

import numpy as np

from .abi import TensorInfo, library, out_handle
from .context import Context
from .errors import InputError, RunError
from .signature import Signature, spec_of


class _OpenModel:
    """Owns the runtime's model. Contexts hold on to it, so that it is closed after the last of them."""

    def __init__(self, path: str | os.PathLike):
        self.handle = out_handle(library().model_open, os.fsencode(path), None)
        self.path = path  # what mxn.compile makes of a ModelProto is deleted with its path object
        weakref.finalize(self, library().model_close, self.handle)


class Model:
    """A loaded bundle. It may be called from any number of threads: each gets a context of its own.

    `functions` maps each function's name to its Signature; `inputs` and `outputs` are those of "main" (of the first
    function if there is no "main"), as {name: TensorSpec}.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 0):
        """Opens the bundle at `path`; RunError when it is missing or damaged. `threads`: see Context."""
        self._library, self.threads = library(), threads
        self._open = _OpenModel(path)
        self._handle = self._open.handle
        self._local = threading.local()
        lib, handle = self._library, self._handle
        self.functions: dict[str, Signature] = {}
        for f in range(lib.model_function_count(handle)):
            inputs = [self._spec(lib.model_input_info, f, i) for i in range(lib.model_input_count(handle, f))]
            outputs = [self._spec(lib.model_output_info, f, i) for i in range(lib.model_output_count(handle, f))]
            name = lib.model_function_name(handle, f).decode()
            self.functions[name] = Signature(f, name, tuple(inputs), tuple(outputs))
        main = self.functions.get("main") or next(iter(self.functions.values()), Signature(0, "", (), ()))
        self.inputs = {s.name: s for s in main.inputs}
        self.outputs = {s.name: s for s in main.outputs}

    def _spec(self, function: Any, index: int, i: int) -> Any:
        info = TensorInfo()
        function(self._handle, index, i, byref(info))
        return spec_of(info)

    def function(self, name: str = "main") -> Signature:
        """The signature of a function; InputError when the bundle has none of that name."""
        if name not in self.functions:
            raise InputError(f"the bundle has no function {name!r}; it has {_listed(self.functions)}")
        return self.functions[name]

    def run(self, inputs: Mapping[str, Any], function: str = "main",
            donate: Collection[str] | Mapping[str, np.ndarray] = ()) -> dict[str, np.ndarray]:
        """Calls a function with {input name: array} and returns {output name: array}.

        Arrays are numpy's, anything with DLPack, or lists and numbers, which are converted to the type that is wanted. The
        call may write to the inputs named in `donate`, such as the past that turns into the present. {name: array} donates an
        array that begins with the input and has room behind it; an output that fits is written there, without another copy,
        and returned as a view of it. InputError: a name is unknown or missing, or a value isn't a tensor. RunError: a type or shape doesn't fit, or the model's own checks
        refuse the values.
        """
        signature = self.function(function)
        values = ordered(signature, inputs)
        context = self.context()
        context.bind(signature, values, donate)
        context.run()
        return {s.name: a for s, a in zip(signature.outputs, context.outputs())}

    def context(self) -> Context:
        """The calling thread's context."""
        if not hasattr(self._local, "context"):
            self._local.context = Context(self._handle, self.threads, owner=self._open)
        return self._local.context

    def metadata(self, key: str) -> str | None:
        """The bundle's value for `key`, None when it has none."""
        text = c_char_p()
        try:
            self._library.model_metadata(self._handle, key.encode(), byref(text))
        except RunError as e:
            if e.status_name == "not found":
                return None
            raise
        return text.value.decode()

    def section(self, name: str) -> bytes:
        """A tokenizer or metadata section such as "tokenizer.json"; RunError when there is none."""
        data, length = c_void_p(), c_uint64()
        self._library.model_section(self._handle, name.encode(), byref(data), byref(length))
        return string_at(data, length.value)


def ordered(signature: Signature, inputs: Mapping[str, Any]) -> list[Any]:
    """The values of `inputs` in the function's order; InputError for an unknown or a missing name."""
    names = [s.name for s in signature.inputs]
    for name in inputs:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"function {signature.name!r} has no input {name!r}{hint} (its inputs: {_listed(names)})")
    if missing := [n for n in names if n not in inputs]:
        raise InputError(f"input {_listed(missing)} of function {signature.name!r} is missing")
    return [inputs[n] for n in names]


def _listed(names: Any) -> str:
    return ", ".join(repr(n) for n in names) or "none"


def load(bundle: str | os.PathLike, threads: int = 0) -> Model:
    """Opens a bundle. `threads`: how many threads each call's kernels run on, 0 for one a core."""
    return Model(bundle, threads)
