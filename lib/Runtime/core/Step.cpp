// Step.cpp - mxn_step: puts tokens of any number of sequences through a ragged entry.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Cache.h"
#include "lib/Runtime/core/Context.h"

#include <algorithm>
#include <cstring>

using namespace mxn::runtime;
using Role = StepScratch::Role;

// Finds out, once, what each input of the function is: pools and tables by the groups, the rest by name.
mxn_status_t mxn_cache::resolveStep() {
  static constexpr struct {
    const char *name;
    Role role;
  } known[] = {{"ids", Role::Ids},
               {"positions", Role::Positions},
               {"sequence_starts", Role::Starts},
               {"context_lengths", Role::Contexts},
               {"rows", Role::Rows}};
  scratch.roles.clear();
  for (uint32_t i = 0; i < function.inputs.size(); ++i) {
    StepScratch::Input input = {Role::Ids, none};
    bool found = false;
    for (uint32_t g = 0; g < function.cacheGroups.size() && !found; ++g) {
      found = function.cacheGroups[g].cacheInput == i || function.cacheGroups[g].tableInput == i;
      input = {function.cacheGroups[g].cacheInput == i ? Role::Pool : Role::Table, g};
    }
    for (const auto &entry : known)
      if (!found && !strcmp(entry.name, function.inputs[i].name)) {
        input = {entry.role, none};
        found = true;
      }
    if (!found)
      return fail(MXN_STATUS_UNSUPPORTED, "mxn_step has nothing to give to input \"%s\" of function \"%s\"",
                  function.inputs[i].name, function.name);
    scratch.roles.push_back(input);
  }
  scratch.logits = none;
  for (uint32_t i = 0; i < function.outputs.size(); ++i)
    if (!strcmp(function.outputs[i].name, "logits"))
      scratch.logits = i;
  if (scratch.logits == none || function.outputs[scratch.logits].type != MXN_TYPE_FLOAT32 ||
      function.outputs[scratch.logits].dimensions.size() != 2)
    return fail(MXN_STATUS_UNSUPPORTED, "function \"%s\" has no output \"logits\" [rows, vocabulary] of float32",
                function.name);
  scratch.tables.resize(pools.size());
  scratch.inputs.resize(function.inputs.size());
  scratch.resolved = true;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::checkStep(const mxn_step_input_t &input, uint64_t *tokens) {
  if (!input.sequence_count || !input.sequences || !input.token_counts || !input.ids)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "a step needs sequences, their token counts and ids");
  ++scratch.steps;
  *tokens = 0;
  for (uint32_t i = 0; i < input.sequence_count; ++i) {
    Sequence *sequence = nullptr;
    MXN_RETURN_IF_FAILED(find(input.sequences[i], &sequence));
    if (sequence->lastStep == scratch.steps)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u is twice in a step", input.sequences[i]);
    sequence->lastStep = scratch.steps;
    if (input.token_counts[i] == 0)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u has no tokens in a step", input.sequences[i]);
    *tokens += input.token_counts[i];
  }
  if (*tokens > INT32_MAX)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "a step of %llu tokens is too large",
                static_cast<unsigned long long>(*tokens));
  for (uint32_t i = 0; input.rows && i < input.row_count; ++i)
    if (input.rows[i] < 0 || static_cast<uint64_t>(input.rows[i]) >= *tokens)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "row %d is wanted of a step of %llu tokens", input.rows[i],
                  static_cast<unsigned long long>(*tokens));
  return MXN_STATUS_OK;
}

// Makes room and fills every array that the function takes.
mxn_status_t mxn_cache::prepareStep(const mxn_step_input_t &input, uint64_t tokens) {
  uint32_t count = input.sequence_count;
  scratch.positions.resize(tokens);
  scratch.starts.resize(count + 1);
  scratch.contexts.resize(count);
  scratch.rows.resize(input.rows ? input.row_count : count);
  int32_t row = 0;
  for (uint32_t i = 0; i < count; ++i) {
    MXN_RETURN_IF_FAILED(reserve(input.sequences[i], input.token_counts[i]));
    uint64_t length = 0;
    MXN_RETURN_IF_FAILED(this->length(input.sequences[i], &length));
    scratch.starts[i] = row;
    scratch.contexts[i] = static_cast<int32_t>(length);
    for (uint32_t k = 0; k < input.token_counts[i]; ++k)
      scratch.positions[row++] = static_cast<int64_t>(length + k);
    if (!input.rows)
      scratch.rows[i] = row - 1;
  }
  scratch.starts[count] = row;
  if (input.rows)
    std::copy(input.rows, input.rows + input.row_count, scratch.rows.begin());
  for (uint32_t g = 0; g < pools.size(); ++g) {
    uint32_t needed, columns = 16;
    MXN_RETURN_IF_FAILED(this->columns(g, input.sequences, count, &needed));
    while (columns < needed) // few different shapes, so that sizes are rarely computed anew
      columns *= 2;
    scratch.tables[g].resize(uint64_t(count) * columns);
    MXN_RETURN_IF_FAILED(fillTable(g, input.sequences, count, scratch.tables[g].data(), columns));
  }
  return MXN_STATUS_OK;
}

template <typename T> static mxn_tensor_t describe(mxn_type_t type, const std::vector<T> &values) {
  return {sizeof(mxn_tensor_t),      type, 1, {static_cast<int64_t>(values.size())}, const_cast<T *>(values.data()),
          values.size() * sizeof(T), 0};
}

mxn_status_t mxn_cache::runStep(mxn_context &context, const mxn_step_input_t &input, uint64_t tokens,
                                mxn_step_output_t &out) {
  MXN_RETURN_IF_FAILED(prepareStep(input, tokens));
  for (size_t i = 0; i < scratch.inputs.size(); ++i) {
    mxn_tensor_t &tensor = scratch.inputs[i];
    uint32_t group = scratch.roles[i].group;
    switch (scratch.roles[i].role) {
    case Role::Ids:
      tensor = {sizeof(tensor),
                MXN_TYPE_INT64,
                1,
                {static_cast<int64_t>(tokens)},
                const_cast<int64_t *>(input.ids),
                tokens * sizeof(int64_t),
                0};
      break;
    case Role::Positions:
      tensor = describe(MXN_TYPE_INT64, scratch.positions);
      break;
    case Role::Starts:
      tensor = describe(MXN_TYPE_INT32, scratch.starts);
      break;
    case Role::Contexts:
      tensor = describe(MXN_TYPE_INT32, scratch.contexts);
      break;
    case Role::Rows:
      tensor = describe(MXN_TYPE_INT32, scratch.rows);
      break;
    case Role::Pool:
      MXN_RETURN_IF_FAILED(pool(group, tensor));
      break;
    case Role::Table:
      tensor = describe(MXN_TYPE_INT32, scratch.tables[group]);
      tensor.rank = 2;
      tensor.dims[0] = input.sequence_count;
      tensor.dims[1] = static_cast<int64_t>(scratch.tables[group].size()) / input.sequence_count;
      break;
    }
  }
  MXN_RETURN_IF_FAILED(context.bind(functionIndex, scratch.inputs.data(), scratch.inputs.size()));
  MXN_RETURN_IF_FAILED(context.run());
  mxn_tensor_t logits;
  MXN_RETURN_IF_FAILED(context.output(scratch.logits, logits));
  out.rows = static_cast<uint32_t>(logits.dims[0]);
  out.vocabulary = static_cast<uint64_t>(logits.dims[1]);
  out.logits = static_cast<const float *>(logits.data);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::step(mxn_context &context, const mxn_step_input_t &input, mxn_step_output_t &out) {
  if (context.model != &model)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "the context and the cache are of different models");
  if (!scratch.resolved)
    MXN_RETURN_IF_FAILED(resolveStep());
  uint64_t tokens;
  MXN_RETURN_IF_FAILED(checkStep(input, &tokens));
  scratch.rooms.clear();
  for (uint32_t i = 0; i < input.sequence_count; ++i) {
    Sequence *sequence = nullptr;
    MXN_RETURN_IF_FAILED(find(input.sequences[i], &sequence));
    scratch.rooms.push_back(sequence->room);
  }
  mxn_status_t status = runStep(context, input, tokens, out);
  for (uint32_t i = 0; i < input.sequence_count; ++i) {
    Sequence *sequence = nullptr;
    MXN_RETURN_IF_FAILED(find(input.sequences[i], &sequence));
    if (status == MXN_STATUS_OK)
      MXN_RETURN_IF_FAILED(commit(input.sequences[i], input.token_counts[i]));
    else
      dropRoom(*sequence, scratch.rooms[i]);
  }
  return status;
}
