//===- LLMDialect.h - What language models are made of --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_DIALECTS_LLM_LLMDIALECT_H
#define MXN_DIALECTS_LLM_LLMDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/LLM/LLMDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/LLM/LLMAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/LLM/LLMOps.h.inc"

namespace mxn::llm {
/// Bytes of a tensor of static shape as ONNX packs it: types below 8 bits share bytes, bool takes one.
int64_t packedBytes(mlir::ShapedType type);
} // namespace mxn::llm

#endif
