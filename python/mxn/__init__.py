# __init__.py - the package's names.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MxN compiles ONNX models to bundles and runs them.

    import mxn
    model = mxn.load(mxn.compile("model.onnx"))
    outputs = model.run({"input": array})
"""
from .compiler import compile
from .errors import CompileError, Error, InputError, NotFoundError, RunError
from .model import Model, load
from .signature import Signature, TensorSpec

__all__ = ["CompileError", "Error", "InputError", "Model", "NotFoundError", "RunError", "Signature", "TensorSpec",
           "compile", "load"]
__version__ = "0.1.0"
