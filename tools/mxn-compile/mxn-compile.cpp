//===- mxn-compile.cpp - Compiles an ONNX model ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Compiler/Registry.h"
#include "lib/Import/Import.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace llvm;

static cl::OptionCategory category("mxn-compile options");
static cl::opt<std::string> model(cl::Positional, cl::desc("MODEL.onnx"), cl::Required, cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("Where to write the result; '-' is the standard output"),
                                   cl::value_desc("file"), cl::init("-"), cl::cat(category));
static cl::opt<std::string> compileTo("compile-to", cl::desc("Stop after this phase and write its IR: import"),
                                      cl::value_desc("phase"), cl::init("import"), cl::cat(category));
static cl::opt<bool> allowExternalLinks("allow-external-links",
                                        cl::desc("Follow symbolic and hard links to external data"), cl::cat(category));
static cl::list<std::string> nativeOps("import-native", cl::CommaSeparated, cl::Hidden,
                                       cl::desc("For tests: replace all ops but these by their function bodies"),
                                       cl::value_desc("op,..."), cl::cat(category));
static cl::opt<bool> printLocations("print-locations", cl::desc("Write locations into the IR"), cl::cat(category));

/// Writes "FILE: 'NAME': error: MESSAGE", one line each.
static mlir::LogicalResult report(mlir::Diagnostic &diagnostic) {
  std::string file, node;
  diagnostic.getLocation()->walk([&](mlir::Location loc) {
    if (auto name = dyn_cast<mlir::NameLoc>(loc))
      node = node.empty() ? name.getName().str() : node;
    else if (auto place = dyn_cast<mlir::FileLineColLoc>(loc))
      file = place.getFilename().str();
    return mlir::WalkResult::advance();
  });
  errs() << (file.empty() ? model.getValue() : file) << ": ";
  if (!node.empty())
    errs() << "'" << node << "': ";
  errs() << (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error     ? "error: "
             : diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning ? "warning: "
                                                                             : "note: ")
         << diagnostic << "\n";
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    errs() << "  note: " << note << "\n";
  return mlir::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "MxN: compiles an ONNX model\n");
  if (compileTo != "import") {
    errs() << "mxn-compile: there is no phase '" << compileTo << "'; the phases are: import\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  mxn::registerDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::ScopedDiagnosticHandler handler(&context, report);

  mxn::import::Options options;
  options.allowExternalLinks = allowExternalLinks;
  if (nativeOps.getNumOccurrences())
    options.isNative = [](StringRef domain, StringRef op, int64_t) {
      return llvm::is_contained(nativeOps, (domain.empty() ? "" : domain + ".").str() + op.str());
    };
  mlir::OwningOpRef<mlir::ModuleOp> module = mxn::import::importModel(context, model, options);
  if (!module)
    return 1;
  std::string error;
  auto file = mlir::openOutputFile(output, &error);
  if (!file) {
    errs() << "mxn-compile: " << error << "\n";
    return 1;
  }
  mlir::OpPrintingFlags flags;
  if (printLocations)
    flags.enableDebugInfo();
  module->print(file->os(), flags);
  file->keep();
  return 0;
}
