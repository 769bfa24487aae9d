//===- Report.cpp - How mxn-compile prints diagnostics --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/mxn-compile/Report.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using llvm::errs;

namespace mxn {

ErrorReporter::ErrorReporter(MLIRContext &context, std::string file)
    : file(std::move(file)), handler(&context, [this](Diagnostic &d) { return report(d); }) {}

void ErrorReporter::print(Diagnostic &diagnostic, const char *indent) {
  std::string node, place;
  diagnostic.getLocation()->walk([&](Location loc) {
    if (auto name = dyn_cast<NameLoc>(loc))
      node = node.empty() ? name.getName().str() : node;
    else if (auto at = dyn_cast<FileLineColLoc>(loc)) // of an ONNX file without a line
      place = at.getFilename().str() +
              (at.getLine() ? ":" + std::to_string(at.getLine()) + ":" + std::to_string(at.getColumn()) : "");
    return WalkResult::advance();
  });
  errs() << indent << (place.empty() ? file : place) << ": ";
  if (!node.empty())
    errs() << "'" << node << "': ";
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    errs() << "error: ";
    break;
  case DiagnosticSeverity::Warning:
    errs() << "warning: ";
    break;
  default:
    errs() << "note: ";
  }
  errs() << diagnostic << "\n";
}

LogicalResult ErrorReporter::report(Diagnostic &diagnostic) {
  anyError |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
  print(diagnostic, "");
  for (Diagnostic &note : diagnostic.getNotes())
    print(note, "  ");
  return success();
}

int ErrorReporter::ensureError() {
  if (!anyError)
    errs() << "mxn-compile: error: internal error: compiling " << file << " failed without a message\n";
  return 1;
}

} // namespace mxn
