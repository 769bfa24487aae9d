//===- CPUTarget.h - Code for CPUs ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TARGETS_CPU_CPUTARGET_H
#define MXN_TARGETS_CPU_CPUTARGET_H

#include "mxn/Plugin/Target.h"

namespace mxn::cpu {

/// The plugin struct of the CPU target, as an outsider's library would export it.
plugin::Plugin getPlugin();

/// Object code for the machine that `level` names, from kernels in the LLVM dialect.
llvm::Error emitObject(mlir::ModuleOp kernels, const plugin::CodegenOptions &options,
                       llvm::SmallVectorImpl<char> &object);
/// One freestanding shared object without undefined symbols.
llvm::Error linkObjects(llvm::ArrayRef<std::string> objectFiles, llvm::StringRef outputFile);

} // namespace mxn::cpu

#endif
