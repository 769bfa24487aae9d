//===- Report.h - How mxn-compile prints diagnostics ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_MXN_COMPILE_REPORT_H
#define MXN_TOOLS_MXN_COMPILE_REPORT_H

#include "mlir/IR/Diagnostics.h"
#include <string>

namespace mxn {

/// Prints each diagnostic as "FILE: 'NODE': error: MESSAGE", one line each, notes below.
class ErrorReporter {
public:
  ErrorReporter(mlir::MLIRContext &context, std::string file);
  /// Prints a last-resort message where something failed without a word; gives the exit status.
  int ensureError();

private:
  mlir::LogicalResult report(mlir::Diagnostic &diagnostic);
  void print(mlir::Diagnostic &diagnostic, const char *indent);

  std::string file;
  bool anyError = false;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace mxn

#endif
