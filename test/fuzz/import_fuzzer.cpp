//===- import_fuzzer.cpp - Any bytes as a model ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever a file holds, the importer must end with a module or with an error message.
//
#include "lib/Import/Import.h"
#include "lib/Import/WireCut.h"
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mxn::import::Cut cut;
  const char *bytes = reinterpret_cast<const char *>(data);
  if (mxn::import::cutWeights(bytes, size, "n", 16, cut))
    for (const mxn::import::CutRange &range : cut.ranges)
      if (range.offset > size || range.length > size - range.offset)
        std::abort();

  // The importer maps a file, so that the bytes have to lie in one; one for each process.
  static char path[] = "/tmp/mxn-import-fuzzer-XXXXXX";
  static const int fd = ::mkstemp(path);
  if (::ftruncate(fd, 0) || ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size))
    return 0;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) { return mlir::success(); });
  mxn::import::Options options;
  // All bodies, so that expansion is reached too.
  options.isNative = [](llvm::StringRef, llvm::StringRef op, int64_t) { return op.size() < 5; };
  mxn::import::importModel(context, path, options);
  return 0;
}
