// DecodeBody.h - checks and decodes the instructions of one function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_DECODEBODY_H
#define MXN_LIB_RUNTIME_CORE_DECODEBODY_H

#include "lib/Runtime/core/Decoder.h"

namespace mxn::runtime {

// Walks the prologue and then the blocks from blocks[0], in the order in which they run, and tracks which registers can
// be read where: each is written once, and what a block writes is seen by that block and those inside it.
class BodyDecoder {
public:
  BodyDecoder(const bundle::Function &source, const Plan &plan, DecodeBudget &budget, Function &out)
      : source(source), plan(plan), budget(budget), out(out), states(out.registerCount, Unwritten) {}

  mxn_status_t decodePrologue();
  mxn_status_t decodeBody();

  // Whether the prologue writes the register, so that it is known when inputs are bound.
  bool isKnown(uint32_t reg) const { return reg < states.size() && states[reg] == Known; }

private:
  enum State : uint8_t { Unwritten, Known, Visible, OutOfScope };

  mxn_status_t decodeBlock(uint32_t number, unsigned depth);
  mxn_status_t decodeInstruction(const bundle::Instruction &source, Instruction &out);
  mxn_status_t decodeArithmetic(const bundle::Instruction &source, Instruction &out);
  mxn_status_t decodeWork(const bundle::Instruction &source, Instruction &out);
  mxn_status_t decodeDispatch(const bundle::Dispatch &source, Instruction &out);
  mxn_status_t decodeNested(Instruction &out, unsigned depth);
  mxn_status_t addSlice(const bundle::Slice *source, bool writes, Instruction &out);
  mxn_status_t read(uint32_t reg);
  mxn_status_t write(uint32_t reg);
  mxn_status_t failHere(const char *what) const;

  const bundle::Function &source;
  const Plan &plan;
  DecodeBudget &budget;
  Function &out;
  std::vector<uint8_t> states;   // of each register
  std::vector<uint32_t> written; // registers in the order in which they were written
  std::vector<bool> visited;     // blocks
  bool inPrologue = true;
  uint32_t number = 0; // of the instruction that is being decoded
};

} // namespace mxn::runtime

#endif
