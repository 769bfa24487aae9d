//===- Phases.h - The flow from a model to a bundle -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_COMPILER_PHASES_H
#define MXN_LIB_COMPILER_PHASES_H

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <vector>

namespace mxn {

/// The phases in their order. Compilation may stop after any of them and go on from it.
enum class Phase {
  Import,   // the onnx dialect, as the file has it
  Shapes,   // ... with symbolic shapes
  Step,     // ... with the ragged entry of a language model
  Tensors,  // linalg and tensor ops
  Dispatch, // ... in program.regions
  Program,  // a host schedule and kernels
  Bundle,   // the file
};

struct PhaseInfo {
  Phase phase;
  llvm::StringLiteral name;
  llvm::StringLiteral description;
};
/// All phases, for option parsing and help.
llvm::ArrayRef<PhaseInfo> phases();

/// What a user may choose about the phases.
struct PhaseOptions {
  bool requireStep = false; // fail where no ragged entry is derived
  int64_t blockTokens = 16; // tokens in one block of the cache
  unsigned optLevel = 0;    // that of plugin::CodegenOptions
};

/// Adds the passes of the phases behind `from` up to and including `to`; Import and Bundle aren't passes.
void buildPhases(mlir::OpPassManager &pm, Phase from, Phase to, const PhaseOptions &options = {});

} // namespace mxn

#endif
