// Cache.h - the paged cache of a ragged entry: sequences as lists of blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_CACHE_H
#define MXN_LIB_RUNTIME_CORE_CACHE_H

#include "lib/Runtime/core/BlockPool.h"
#include "mxn/Runtime/Cache.h"

namespace mxn::runtime {

// A handle is a slot and, above it, the slot's generation, so that one which was freed is noticed.
constexpr uint32_t slotBits = 20;
constexpr uint32_t slotMask = (1u << slotBits) - 1;
constexpr uint32_t generationMask = UINT32_MAX >> slotBits;

inline uint64_t divideUp(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

struct Sequence {
  bool exists = false;
  uint32_t generation = 0; // of the handle: how often the slot was freed
  uint64_t length = 0;     // tokens in the cache
  uint64_t room = 0;       // tokens that the blocks are there for, at least `length`
  uint64_t lastStep = 0;   // number of the last step that it took part in
  // Of each group, the blocks of consecutive runs of tokens; -1 for those that a window left behind.
  std::vector<std::vector<int32_t>> blocks;
};

// What mxn_step gives the function; kept from step to step.
struct StepScratch {
  enum class Role : uint8_t { Ids, Positions, Starts, Contexts, Rows, Pool, Table };
  struct Input {
    Role role;
    uint32_t group; // of Pool and Table
  };
  bool resolved = false;
  std::vector<Input> roles; // of each input
  uint32_t logits = 0;      // output
  uint64_t steps = 0;
  std::vector<uint64_t> rooms; // of the sequences, before
  std::vector<int64_t> positions;
  std::vector<int32_t> starts, contexts, rows;
  std::vector<std::vector<int32_t>> tables; // of each group
  std::vector<mxn_tensor_t> inputs;
};

} // namespace mxn::runtime

// What the public handle points to.
struct mxn_cache {
  mxn_cache(mxn_model &model, uint32_t functionIndex, const mxn::runtime::Function &function)
      : model(model), functionIndex(functionIndex), function(function) {}
  mxn_cache(const mxn_cache &) = delete;

  mxn_status_t create(const mxn_cache_options_t &options);
  mxn_status_t pool(uint32_t group, mxn_tensor_t &out) const;
  mxn_cache_stats_t stats() const;

  mxn_status_t addSequence(uint32_t *out);
  mxn_status_t freeSequence(uint32_t handle);
  mxn_status_t sharePrefix(uint32_t from, uint64_t tokens, uint32_t *out);
  mxn_status_t fork(uint32_t from, uint32_t *out);
  mxn_status_t reserve(uint32_t handle, uint64_t tokens);
  mxn_status_t commit(uint32_t handle, uint64_t tokens);
  mxn_status_t truncate(uint32_t handle, uint64_t length);
  mxn_status_t length(uint32_t handle, uint64_t *out) const;

  mxn_status_t columns(uint32_t group, const uint32_t *handles, uint32_t count, uint32_t *out) const;
  mxn_status_t fillTable(uint32_t group, const uint32_t *handles, uint32_t count, int32_t *out, uint32_t columns) const;

  mxn_status_t step(mxn_context &context, const mxn_step_input_t &input, mxn_step_output_t &out); // Step.cpp

private:
  using Sequence = mxn::runtime::Sequence;

  mxn_status_t find(uint32_t handle, Sequence **out);
  mxn_status_t find(uint32_t handle, const Sequence **out) const;
  mxn_status_t checkGroup(uint32_t group) const;
  mxn_status_t checkKept(const Sequence &sequence, uint32_t handle, uint64_t length) const;
  void dropRoom(Sequence &sequence, uint64_t room);
  void leaveBehind(Sequence &sequence);

  mxn_status_t resolveStep();
  mxn_status_t checkStep(const mxn_step_input_t &input, uint64_t *tokens);
  mxn_status_t prepareStep(const mxn_step_input_t &input, uint64_t tokens);
  mxn_status_t runStep(mxn_context &context, const mxn_step_input_t &input, uint64_t tokens, mxn_step_output_t &out);

  mxn_model &model;
  uint32_t functionIndex;
  const mxn::runtime::Function &function;
  std::vector<mxn::runtime::BlockPool> pools;
  std::vector<Sequence> sequences; // by the low bits of their handles
  std::vector<uint32_t> freeSlots; // in `sequences`
  uint64_t bytesCopied = 0;
  mxn::runtime::StepScratch scratch;
};

#endif
