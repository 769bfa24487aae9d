// MakeTestBundle.cpp - writes the unit tests' bundle to a file, for tests of the tools and as a seed for the fuzzer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/Runtime/TestBundle.h"

#include <cstdio>

using namespace mxn::test;

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  Bytes bytes = writeBundle(makeManifest(makeMain()));
  FILE *file = fopen(argv[1], "wb");
  if (!file || fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    return 1;
  return fclose(file) == 0 ? 0 : 1;
}
