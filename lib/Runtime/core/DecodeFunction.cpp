// DecodeFunction.cpp - checks and decodes a function's signature and buffers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/DecodeBody.h"
#include "mxn/Bundle/Format.h"
#include "mxn/Runtime/Types.h"

using namespace mxn;
using namespace mxn::runtime;

using TensorVector = flatbuffers::Vector<flatbuffers::Offset<bundle::Tensor>>;

static mxn_status_t decodeTensors(const TensorVector *tensors, const char *what, DecodeBudget &budget,
                                  Function &function, std::vector<TensorInfo> &out) {
  if (!tensors)
    return MXN_STATUS_OK;
  if (!budget.take(tensors->size()))
    return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\" has more %ss than the manifest has room for", function.name,
                what);
  for (const bundle::Tensor *tensor : *tensors) {
    TensorInfo info = {"", tensor->type(), {}};
    MXN_RETURN_IF_FAILED(decodeString(tensor->name(), "a tensor's name", &info.name));
    if (!info.name[0])
      return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\": %s %zu has no name", function.name, what, out.size());
    if (info.type == bundle::ElementType_Undefined || info.type > bundle::ElementType_MAX)
      return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\": %s \"%s\" has an unknown type", function.name, what,
                  info.name);
    uint32_t rank = tensor->dims() ? tensor->dims()->size() : 0;
    if (rank > MXN_MAX_RANK)
      return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\": %s \"%s\" has %u dimensions, at most %d are allowed",
                  function.name, what, info.name, rank, MXN_MAX_RANK);
    for (uint32_t axis = 0; axis < rank; ++axis) {
      const bundle::Dim *dim = tensor->dims()->Get(axis);
      info.dimensions.push_back({"", dim->size(), -1});
      MXN_RETURN_IF_FAILED(decodeString(dim->name(), "a dimension's name", &info.dimensions.back().name));
    }
    out.push_back(std::move(info));
  }
  return MXN_STATUS_OK;
}

static mxn_status_t failBuffer(const Function &function, size_t number, const char *what) {
  return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\", buffer %zu: %s", function.name, number, what);
}

static mxn_status_t decodeBuffer(const bundle::Buffer &source, const std::vector<Section> &sections,
                                 Function &function) {
  size_t number = function.buffers.size();
  Buffer buffer = {source.kind(), source.index(), 0, 0, source.size(), 0, 0, none};
  switch (source.kind()) {
  case bundle::BufferKind_Input:
    if (source.index() >= function.inputs.size() || function.inputBuffers[source.index()] != none)
      return failBuffer(function, number, "is of an input that doesn't exist or has another buffer");
    function.inputBuffers[source.index()] = number;
    break;
  case bundle::BufferKind_Output:
    if (source.index() >= function.outputs.size() || function.outputBuffers[source.index()] != none)
      return failBuffer(function, number, "is of an output that doesn't exist or has another buffer");
    function.outputBuffers[source.index()] = number;
    if (source.donated_input() < -1 || source.donated_input() >= static_cast<int64_t>(function.inputs.size()))
      return failBuffer(function, number, "takes over an input that doesn't exist");
    if (source.donated_input() >= 0) {
      buffer.donor = source.donated_input();
      if (function.donatableInputs[buffer.donor])
        return failBuffer(function, number, "takes over an input that another output takes over");
      function.donatableInputs[buffer.donor] = true;
    }
    break;
  case bundle::BufferKind_Constant: {
    if (source.index() >= sections.size() || sections[source.index()].kind != bundle::SectionKind_Weights)
      return failBuffer(function, number, "lies in no section of weights");
    uint64_t available = sections[source.index()].length;
    if (source.offset() > available || source.length() > available - source.offset())
      return failBuffer(function, number, "leaves its section");
    if (source.offset() % MXN_BUNDLE_CONSTANT_ALIGNMENT)
      return failBuffer(function, number, "is a constant that isn't aligned");
    buffer.offset = source.offset();
    buffer.length = source.length();
    buffer.size = none;
    break;
  }
  case bundle::BufferKind_Transient:
    if (source.first() > source.last())
      return failBuffer(function, number, "ends before it begins");
    buffer.first = source.first();
    buffer.last = source.last();
    break;
  default:
    return failBuffer(function, number, "is of an unknown kind");
  }
  function.buffers.push_back(buffer);
  return MXN_STATUS_OK;
}

// A dimension's size must be known when inputs are bound; it is static where the prologue sets it to a constant.
static mxn_status_t resolveDimensions(std::vector<TensorInfo> &tensors, const BodyDecoder &body,
                                      const std::vector<const Instruction *> &constants, const Function &function) {
  for (TensorInfo &tensor : tensors)
    for (Dimension &dimension : tensor.dimensions) {
      if (!body.isKnown(dimension.size))
        return fail(MXN_STATUS_BAD_BUNDLE,
                    "function \"%s\": tensor \"%s\" has a size that the prologue doesn't compute", function.name,
                    tensor.name);
      if (const Instruction *constant = constants[dimension.size]) {
        dimension.staticValue = constant->minimum;
        if (dimension.staticValue < 0)
          return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\": tensor \"%s\" has a negative size", function.name,
                      tensor.name);
      }
    }
  return MXN_STATUS_OK;
}

mxn_status_t runtime::decodeFunction(const bundle::Function &source, const Plan &plan,
                                     const std::vector<Section> &sections, DecodeBudget &budget, Function &out) {
  MXN_RETURN_IF_FAILED(decodeString(source.name(), "a function's name", &out.name));
  if (!out.name[0])
    return fail(MXN_STATUS_BAD_BUNDLE, "a function has no name");
  // Registers are numbered densely, one for each instruction that writes one, each of which takes many bytes.
  if (!budget.take(source.register_count()))
    return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\" has more registers than the manifest has room for", out.name);
  out.registerCount = source.register_count();
  MXN_RETURN_IF_FAILED(decodeTensors(source.inputs(), "input", budget, out, out.inputs));
  MXN_RETURN_IF_FAILED(decodeTensors(source.outputs(), "output", budget, out, out.outputs));
  out.inputBuffers.assign(out.inputs.size(), none);
  out.outputBuffers.assign(out.outputs.size(), none);
  out.donatableInputs.assign(out.inputs.size(), false);
  out.writtenInputs.assign(out.inputs.size(), false);
  if (source.buffers()) {
    if (!budget.take(source.buffers()->size()))
      return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\" has more buffers than the manifest has room for", out.name);
    out.buffers.reserve(source.buffers()->size());
    for (const bundle::Buffer *buffer : *source.buffers())
      MXN_RETURN_IF_FAILED(decodeBuffer(*buffer, sections, out));
  }
  for (size_t i = 0; i < out.outputs.size(); ++i)
    if (out.outputBuffers[i] == none)
      return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\": output \"%s\" has no buffer", out.name, out.outputs[i].name);

  BodyDecoder body(source, plan, budget, out);
  MXN_RETURN_IF_FAILED(body.decodePrologue());
  std::vector<const Instruction *> constants(out.registerCount, nullptr);
  for (const Instruction &instruction : out.prologue)
    if (instruction.kind == bundle::Op_ConstantOp)
      constants[instruction.result] = &instruction;
  MXN_RETURN_IF_FAILED(resolveDimensions(out.inputs, body, constants, out));
  MXN_RETURN_IF_FAILED(resolveDimensions(out.outputs, body, constants, out));
  for (size_t i = 0; i < out.buffers.size(); ++i)
    if (out.buffers[i].kind != bundle::BufferKind_Constant && !body.isKnown(out.buffers[i].size))
      return failBuffer(out, i, "has a size that the prologue doesn't compute");
  MXN_RETURN_IF_FAILED(body.decodeBody());
  for (size_t i = 0; i < out.buffers.size(); ++i)
    if (out.buffers[i].kind == bundle::BufferKind_Transient && out.buffers[i].last >= out.instructionCount &&
        out.buffers[i].last != 0)
      return failBuffer(out, i, "lives beyond the last instruction");
  return decodeCacheGroups(source, budget, out);
}
