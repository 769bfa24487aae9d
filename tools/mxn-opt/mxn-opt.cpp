//===- mxn-opt.cpp - Runs passes on textual IR ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Compiler/Registry.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mxn::registerDialects(registry);
  mxn::registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "MxN pass driver\n", registry));
}
