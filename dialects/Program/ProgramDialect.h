//===- ProgramDialect.h - The host schedule -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_DIALECTS_PROGRAM_PROGRAMDIALECT_H
#define MXN_DIALECTS_PROGRAM_PROGRAMDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Program/ProgramDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Program/ProgramAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Program/ProgramTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Program/ProgramOps.h.inc"

namespace mxn::program {
/// The name under which a function's argument or result carries its #program.tensor.
inline constexpr llvm::StringLiteral kTensorAttrName = "program.tensor";
/// The name under which a ragged entry carries its cache groups.
inline constexpr llvm::StringLiteral kCacheGroupsAttrName = "program.cache_groups";
/// The name under which a module says why it has no ragged entry.
inline constexpr llvm::StringLiteral kStepRefusedAttrName = "program.step_refused";
} // namespace mxn::program

#endif
