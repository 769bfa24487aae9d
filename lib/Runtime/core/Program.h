// Program.h - a plan of the manifest after it was checked: what binding and running read.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The decoder builds these from the FlatBuffer and proves every index on the way, so the interpreter needs no checks of
// structure, only of values. Strings point into the model's copy of the manifest.
#ifndef MXN_LIB_RUNTIME_CORE_PROGRAM_H
#define MXN_LIB_RUNTIME_CORE_PROGRAM_H

#include "bundle_generated.h"

#include <vector>

namespace mxn::runtime {

struct Dimension {
  const char *name;
  uint32_t size;       // register
  int64_t staticValue; // -1 where the prologue computes it
};

struct TensorInfo {
  const char *name;
  uint32_t type;
  std::vector<Dimension> dimensions;
};

constexpr uint32_t none = UINT32_MAX;

struct Buffer {
  bundle::BufferKind kind;
  uint32_t index = 0;   // of the input, output or section
  uint64_t offset = 0;  // Constant: in the section
  uint64_t length = 0;  // Constant: bytes
  uint32_t size = none; // register, but for Constant
  uint32_t first = 0;   // Transient: instruction numbers between which it holds something
  uint32_t last = 0;
  uint32_t donor = none; // Output: the input whose memory it may take over
};

struct Slice {
  uint32_t buffer;
  uint32_t offset; // registers
  uint32_t length;
  bool known; // both are written by the prologue, so binding checks the slice once
};

// One instruction of any kind. Which fields mean something depends on `kind`; the rest are 0.
struct Instruction {
  bundle::Op kind;
  uint8_t detail = 0;       // ArithOp: the operation. Fill: the byte. ReadOp: the element type
  int32_t location = -1;    // index into Plan::locations
  uint32_t number = 0;      // depth-first in the body
  uint32_t result = 0;      // register; Loop: the counter
  uint32_t lhs = 0;         // register; SelectOp: value if true; Loop: trips. InputDim: the input
  uint32_t rhs = 0;         // register; SelectOp: value if false. InputDim: the axis
  uint32_t condition = 0;   // register of SelectOp and If
  int64_t minimum = 0;      // ReadOp; ConstantOp: the value
  int64_t maximum = 0;      // ReadOp
  const char *message = ""; // of a check or a ReadOp
  uint32_t kernel = 0;      // Dispatch
  uint32_t firstSlice = 0;  // in Function::slices: bindings; the source, then the target of a copy; a Loop's condition
  uint32_t sliceCount = 0;
  uint32_t firstConstant = 0; // in Function::constants
  uint32_t constantCount = 0;
  uint32_t grid[3] = {0, 0, 0}; // registers
  uint32_t blocks[2] = {0, 0};  // If: then, else. Loop: the body. 0: there is none
};

using Block = std::vector<Instruction>;

// A paged cache of a ragged entry; the schema says what the fields mean.
struct CacheGroup {
  const char *name;
  uint32_t cacheInput, tableInput, cacheOutput;
  uint32_t layers, heads, headSize, blockTokens;
  uint32_t type;
  uint64_t sink, window; // 0, 0: every token is kept
  uint64_t blockBytes;
  int64_t fixedBlocks; // the number of blocks where the function's signature fixes it, else -1
};

struct Function {
  const char *name;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  uint32_t registerCount = 0;
  std::vector<uint32_t> prologueRegisters; // those that the prologue writes, which decide every size
  std::vector<Buffer> buffers;
  std::vector<uint32_t> inputBuffers;  // buffer of each input; `none` where the body doesn't use it
  std::vector<uint32_t> outputBuffers; // buffer of each output
  std::vector<bool> donatableInputs;   // inputs that an output may take over
  std::vector<bool> writtenInputs;     // inputs that the body writes to: they must be donated
  Block prologue;
  std::vector<Block> blocks;
  std::vector<Slice> slices;
  std::vector<uint32_t> constants; // registers
  uint32_t maxBindings = 0;        // of any dispatch
  uint32_t maxConstants = 0;
  uint32_t instructionCount = 0;
  std::vector<CacheGroup> cacheGroups;
};

struct Kernel {
  const char *name;
  uint32_t bindings;
  uint32_t constants;
};

struct CodeObject {
  uint32_t section;
  const char *level;
  std::vector<const char *> features;
};

struct Plan {
  const char *driver;
  std::vector<Kernel> kernels;
  std::vector<Function> functions;
  std::vector<CodeObject> code;
  std::vector<const char *> locations;
};

struct Section {
  bundle::SectionKind kind;
  const uint8_t *data; // in the mapped file
  uint64_t length;
  uint64_t hash;
  const char *name;
};

} // namespace mxn::runtime

#endif
