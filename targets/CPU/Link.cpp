//===- Link.cpp - One code object from the workers' object files ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lld/Common/Driver.h"
#include "targets/CPU/CPUTarget.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace mxn::cpu {

Error linkObjects(ArrayRef<std::string> objectFiles, StringRef outputFile) {
  std::string output = ("-o" + outputFile).str();
  std::vector<const char *> args = {
      "ld.lld",
      "-shared",
      "--no-undefined", // a call that nobody provides is an error here, not on the machine
      "--hash-style=sysv",
      "--build-id=none",
      "--strip-all",
      "--pack-dyn-relocs=none",
      "-znoexecstack",
      "-znow",
      "--threads=1",
      output.c_str()};
  for (const std::string &file : objectFiles)
    args.push_back(file.c_str());
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(args, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode)
    return createStringError("linking the kernels failed: " + StringRef(messages).trim());
  return Error::success();
}

} // namespace mxn::cpu
