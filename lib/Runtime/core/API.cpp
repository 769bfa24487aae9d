// API.cpp - the functions of Runtime.h: they check their arguments and pass on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Context.h"
#include "lib/Runtime/core/Structs.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

using namespace mxn::runtime;

mxn_status_t mxn_model_open(const char *path, const mxn_model_options_t *options, mxn_model_t **out_model) {
  if (!path || !out_model)
    return failMissing(path ? "out_model" : "the path");
  mxn_model_options_t known;
  MXN_RETURN_IF_FAILED(readStruct(options, "the model's options", known));
  std::unique_ptr<mxn_model> model(new (std::nothrow) mxn_model);
  if (!model)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for a model");
  MXN_RETURN_IF_FAILED(model->openFile(path, &known));
  *out_model = model.release();
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model_open_memory(const void *data, uint64_t length, const mxn_model_options_t *options,
                                   mxn_model_t **out_model) {
  if (!data || !out_model)
    return failMissing(data ? "out_model" : "the data");
  if (reinterpret_cast<uintptr_t>(data) % MXN_BUNDLE_CONSTANT_ALIGNMENT)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "a bundle in memory must be aligned to %u bytes",
                MXN_BUNDLE_CONSTANT_ALIGNMENT);
  mxn_model_options_t known;
  MXN_RETURN_IF_FAILED(readStruct(options, "the model's options", known));
  std::unique_ptr<mxn_model> model(new (std::nothrow) mxn_model);
  if (!model)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for a model");
  MXN_RETURN_IF_FAILED(model->open(static_cast<const uint8_t *>(data), length, &known));
  *out_model = model.release();
  return MXN_STATUS_OK;
}

void mxn_model_close(mxn_model_t *model) { delete model; }

uint32_t mxn_model_function_count(const mxn_model_t *model) { return model ? model->plan.functions.size() : 0; }

const char *mxn_model_function_name(const mxn_model_t *model, uint32_t function) {
  const Function *found = model ? model->function(function) : nullptr;
  return found ? found->name : nullptr;
}

mxn_status_t mxn_model_find_function(const mxn_model_t *model, const char *name, uint32_t *out_index) {
  if (!model || !name || !out_index)
    return failMissing("the model, the name or out_index");
  std::string names;
  for (uint32_t i = 0; i < model->plan.functions.size(); ++i) {
    if (!strcmp(model->plan.functions[i].name, name)) {
      *out_index = i;
      return MXN_STATUS_OK;
    }
    names += std::string(names.empty() ? "" : ", ") + model->plan.functions[i].name;
  }
  return fail(MXN_STATUS_NOT_FOUND, "the model has no function \"%s\"; it has: %s", name, names.c_str());
}

uint32_t mxn_model_input_count(const mxn_model_t *model, uint32_t function) {
  const Function *found = model ? model->function(function) : nullptr;
  return found ? found->inputs.size() : 0;
}

uint32_t mxn_model_output_count(const mxn_model_t *model, uint32_t function) {
  const Function *found = model ? model->function(function) : nullptr;
  return found ? found->outputs.size() : 0;
}

static mxn_status_t describeTensor(const mxn_model_t *model, uint32_t function, uint32_t index, bool isInput,
                                   mxn_tensor_info_t *out) {
  if (!model || !out)
    return failMissing(model ? "out_info" : "the model");
  const Function *found = model->function(function);
  if (!found)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no function %u", function);
  const std::vector<TensorInfo> &tensors = isInput ? found->inputs : found->outputs;
  if (index >= tensors.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" has no %s %u", found->name, isInput ? "input" : "output",
                index);
  mxn_tensor_info_t info = {};
  info.name = tensors[index].name;
  info.type = tensors[index].type;
  info.rank = tensors[index].dimensions.size();
  for (uint32_t axis = 0; axis < info.rank; ++axis) {
    info.dims[axis] = tensors[index].dimensions[axis].staticValue;
    info.dim_names[axis] = tensors[index].dimensions[axis].name;
  }
  return writeStruct(info, out);
}

mxn_status_t mxn_model_input_info(const mxn_model_t *model, uint32_t function, uint32_t index,
                                  mxn_tensor_info_t *out_info) {
  return describeTensor(model, function, index, true, out_info);
}

mxn_status_t mxn_model_output_info(const mxn_model_t *model, uint32_t function, uint32_t index,
                                   mxn_tensor_info_t *out_info) {
  return describeTensor(model, function, index, false, out_info);
}

mxn_status_t mxn_model_metadata(const mxn_model_t *model, const char *key, const char **out_text) {
  if (!model || !key || !out_text)
    return failMissing("the model, the key or out_text");
  for (const auto &entry : model->metadata)
    if (!strcmp(entry.first, key)) {
      *out_text = entry.second;
      return MXN_STATUS_OK;
    }
  return fail(MXN_STATUS_NOT_FOUND, "the bundle has no metadata \"%s\"", key);
}

mxn_status_t mxn_model_metadata_entry(const mxn_model_t *model, uint32_t index, const char **out_key,
                                      const char **out_text) {
  if (!model || !out_key || !out_text)
    return failMissing("the model, out_key or out_text");
  if (index >= model->metadata.size())
    return fail(MXN_STATUS_NOT_FOUND, "the bundle has %zu metadata entries", model->metadata.size());
  *out_key = model->metadata[index].first;
  *out_text = model->metadata[index].second;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_model_section(const mxn_model_t *model, const char *name, const void **out_data,
                               uint64_t *out_length) {
  if (!model || !name || !out_data || !out_length)
    return failMissing("the model, the name, out_data or out_length");
  for (const Section &section : model->sections) {
    if (section.kind != mxn::bundle::SectionKind_Tokenizer && section.kind != mxn::bundle::SectionKind_Metadata)
      continue;
    if (strcmp(section.name, name) != 0)
      continue;
    MXN_RETURN_IF_FAILED(mxn_model::checkHash(section));
    *out_data = section.data;
    *out_length = section.length;
    return MXN_STATUS_OK;
  }
  return fail(MXN_STATUS_NOT_FOUND, "the bundle has no section \"%s\"", name);
}

mxn_status_t mxn_context_create(mxn_model_t *model, const mxn_context_options_t *options, mxn_context_t **out_context) {
  if (!model || !out_context)
    return failMissing(model ? "out_context" : "the model");
  std::unique_ptr<mxn_context> context(new (std::nothrow) mxn_context);
  if (!context)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for a context");
  MXN_RETURN_IF_FAILED(context->create(*model, options));
  *out_context = context.release();
  return MXN_STATUS_OK;
}

void mxn_context_destroy(mxn_context_t *context) { delete context; }

mxn_status_t mxn_context_bind(mxn_context_t *context, uint32_t function, const mxn_tensor_t *inputs,
                              uint32_t input_count) {
  return context ? context->bind(function, inputs, input_count) : failMissing("the context");
}

mxn_status_t mxn_context_output(mxn_context_t *context, uint32_t index, mxn_tensor_t *out_tensor) {
  if (!context || !out_tensor)
    return failMissing(context ? "out_tensor" : "the context");
  mxn_tensor_t tensor;
  MXN_RETURN_IF_FAILED(context->output(index, tensor));
  return writeStruct(tensor, out_tensor);
}

mxn_status_t mxn_context_set_output(mxn_context_t *context, uint32_t index, void *data, uint64_t bytes) {
  return context ? context->setOutput(index, data, bytes) : failMissing("the context");
}

mxn_status_t mxn_context_run(mxn_context_t *context) { return context ? context->run() : failMissing("the context"); }

mxn_status_t mxn_context_stats(mxn_context_t *context, mxn_stats_t *out_stats) {
  if (!context || !out_stats)
    return failMissing(context ? "out_stats" : "the context");
  mxn_stats_t stats = context->stats;
  return writeStruct(stats, out_stats);
}

mxn_status_t mxn_context_profile(mxn_context_t *context, int32_t on) {
  if (!context)
    return failMissing("the context");
  if (on)
    context->trace.start();
  else
    context->trace.on = false;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context_write_trace(mxn_context_t *context, const char *path) {
  if (!context || !path)
    return failMissing(context ? "the path" : "the context");
  return context->trace.write(path, context->model->plan);
}
