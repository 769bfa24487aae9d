//===- CodeGeneration.h - Kernels to code objects, in worker processes ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM ends the process on errors that it takes for its own, and a code generator keeps one core busy. So the kernels
// are cut into groups, each is written to a file, and `mxn-compile --codegen-worker` makes an object file of it. The
// cut depends on the kernels alone: the number of workers at a time doesn't change a byte of the result.
//
#ifndef MXN_LIB_COMPILER_CODEGENERATION_H
#define MXN_LIB_COMPILER_CODEGENERATION_H

#include "mlir/IR/BuiltinOps.h"
#include "mxn/Plugin/Target.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mxn {

struct CodeGeneration {
  std::string workerProgram;                // the mxn-compile that is running
  std::string workDirectory;                // exists; the caller removes it
  std::vector<std::string> workerArguments; // passed on to every worker
  unsigned jobs = 1;
  llvm::function_ref<void(unsigned done, unsigned total)> progress;
};

/// Makes one code object for each of `options` from the module `@kernels`; gives their files, in the same order.
/// Messages of a failed worker have been printed by it.
llvm::Expected<std::vector<std::string>> generateCode(mlir::ModuleOp kernels, const plugin::Target &target,
                                                      llvm::ArrayRef<plugin::CodegenOptions> options,
                                                      const CodeGeneration &how);

/// What a worker does: reads kernels from `input` and writes an object file.
mlir::LogicalResult runWorker(mlir::MLIRContext &context, const plugin::Target &target,
                              const plugin::CodegenOptions &options, llvm::StringRef input, llvm::StringRef output);

} // namespace mxn

#endif
