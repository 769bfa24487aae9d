//===- ProgramTypes.td - Buffers ------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PROGRAM_TYPES_TD
#define MXN_PROGRAM_TYPES_TD

include "dialects/Program/ProgramDialect.td"

def Program_BufferType : TypeDef<Program_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "A run of bytes: an input, an output, a constant or memory that the runtime plans";
}

#endif
