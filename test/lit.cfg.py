# lit.cfg.py - the lit tests: how they are found, what they can call.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Run with `lit build/test`, where lit.site.cfg.py says where things are.
import os

import lit.formats

config.name = "MxN"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["models", "unit", "python", "e2e", "onnx", "fuzz", "conformance", "Inputs"]
config.test_source_root = config.mxn_source_dir + "/test"
config.test_exec_root = config.mxn_build_dir + "/test"

# Our tools come first: a test names them as `mxn-opt` or as `%mxn-opt`. The rest is LLVM's: FileCheck, not, split-file.
for name in ("mxn-opt", "mxn-compile", "mxn-run", "mxn-inspect", "mxn-conformance"):
    config.substitutions.append(("%" + name + r"\b", os.path.join(config.mxn_tools_dir, name)))
config.substitutions.append((r"%FileCheck\b", os.path.join(config.llvm_tools_dir, "FileCheck")))
config.substitutions.append((r"%mxn-lib\b", config.mxn_library_dir))
config.substitutions.append((r"%mxn-test\b", config.test_source_root))
config.substitutions.append((r"%python\b", config.python))
config.environment["PATH"] = os.pathsep.join([config.mxn_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["PYTHONPATH"] = config.mxn_source_dir + "/python"
config.environment["MXN_TOOLS"] = config.mxn_tools_dir
# For sanitizers, see docs/testing.md.
config.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "allow_user_poisoning=0")
