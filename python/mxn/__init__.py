# __init__.py - the package's names.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MxN compiles ONNX models to bundles and runs them.

    import mxn
    model = mxn.load(mxn.compile("model.onnx"))
    outputs = model.run({"input": array})

    language_model = mxn.LanguageModel("model.mxn")
    print(language_model.generate([{"role": "user", "content": "Hello"}]))
"""
from .started import STARTED as _started  # noqa: F401  first, so that the time of the imports below counts
from .compiler import compile
from .errors import CompileError, Error, InputError, NotFoundError, RunError
from .language import LanguageModel, Sequence, verify_step
from .model import Model, load
from .signature import Signature, TensorSpec

__all__ = ["CompileError", "Error", "InputError", "LanguageModel", "Model", "NotFoundError", "RunError", "Sequence",
           "Signature", "TensorSpec", "compile", "load", "verify_step"]
__version__ = "0.1.0"
