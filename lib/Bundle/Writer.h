//===- Writer.h - Writes a bundle -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_BUNDLE_WRITER_H
#define MXN_LIB_BUNDLE_WRITER_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <utility>
#include <vector>

namespace mxn::bundle_writer {

/// Code for one level of a plan.
struct CodeObject {
  std::string level;
  std::vector<std::string> features;
  std::string file; // where the linker put it
};

/// A file that travels with the model, such as tokenizer.json.
struct Attachment {
  std::string name;
  std::string file;
  bool tokenizer; // otherwise metadata
};

struct Contents {
  /// Holds the program.functions, llm.weights and program.blobs of the one plan.
  mlir::ModuleOp module;
  std::string driver;
  std::vector<CodeObject> code;
  std::vector<Attachment> attachments;
  std::string modelName;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Writes `path` through a temporary file beside it, so that a failure leaves nothing behind. Weights are copied from
/// their files piece by piece. The same contents give the same bytes.
llvm::Error write(const Contents &contents, llvm::StringRef path);

} // namespace mxn::bundle_writer

#endif
