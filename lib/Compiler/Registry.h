//===- Registry.h - Everything that the compiler's tools know -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_COMPILER_REGISTRY_H
#define MXN_LIB_COMPILER_REGISTRY_H

namespace mlir {
class DialectRegistry;
}

namespace mxn {
/// Registers all dialects and the interfaces that lowering needs.
void registerDialects(mlir::DialectRegistry &registry);
/// Registers all passes and pipelines by name, once a process.
void registerPasses();
} // namespace mxn

#endif
