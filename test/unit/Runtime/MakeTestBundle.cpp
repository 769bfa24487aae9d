// MakeTestBundle.cpp - writes the unit tests' bundles to a file, for tests of the tools and as seeds for the fuzzer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: mxn-make-test-bundle OUT                  the function "main"
//        mxn-make-test-bundle OUT step [FILE...]   the toy language model, carrying these files
#include "test/unit/Runtime/TestBundle.h"

#include <cstdio>
#include <cstring>

using namespace mxn::test;

int main(int argc, char **argv) {
  bool step = argc > 2 && !strcmp(argv[2], "step");
  if (argc < 2 || (argc > 2 && !step))
    return 2;
  Attachments attachments;
  for (int i = 3; i < argc; ++i) {
    const char *slash = strrchr(argv[i], '/');
    attachments.emplace_back(slash ? slash + 1 : argv[i], readFile(argv[i]));
  }
  Bytes bytes = step ? writeBundle(makeManifest(makeStep()), attachments) : writeBundle(makeManifest(makeMain()));
  FILE *file = fopen(argv[1], "wb");
  if (!file || fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    return 1;
  return fclose(file) == 0 ? 0 : 1;
}
