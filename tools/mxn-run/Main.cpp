// Main.cpp - mxn-run: runs a function of a bundle on .npy files, once or to measure it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/Support/Options.h"
#include "tools/Support/Output.h"
#include "tools/mxn-run/Npy.h"

#include <algorithm>
#include <cstdio>
#include <time.h>

using namespace mxn::tools;

static constexpr const char *tool = "mxn-run";

static Option inputOption{"input", "NAME=FILE.npy", "Data of an input; once for each"};
static Option outputOption{"output", "NAME=FILE.npy", "Write an output to a file; may come several times"};
static Option outputDirOption{"output-dir", "folder", "Write every output to folder/NAME.npy"};
static Option functionOption{"function", "name", "The function to run (default: main)"};
static Option threadsOption{"threads", "number", "Threads that run kernels (default: one for each core)"};
static Option benchmarkOption{"benchmark", nullptr, "Run for 1.5 s at least and print the median time"};
static Option profileOption{"profile", "file", "Write a Chrome trace of the last run"};
static Option jsonOption{"json", nullptr, "Print the result as JSON"};

// "NAME=FILE" at the last '=' that leaves a file, as ONNX names may hold one.
static bool splitAssignment(const std::string &text, std::string &name, std::string &file) {
  size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return false;
  name = text.substr(0, equals);
  file = text.substr(equals + 1);
  return true;
}

struct Session {
  mxn_model_t *model = nullptr;
  mxn_context_t *context = nullptr;
  uint32_t function = 0;
  std::vector<Array> arrays;
  std::vector<mxn_tensor_t> inputs;
  ~Session() {
    mxn_context_destroy(context);
    mxn_model_close(model);
  }
};

static mxn_tensor_info_t infoOf(const Session &session, uint32_t index, bool isInput) {
  mxn_tensor_info_t info = {};
  info.struct_size = sizeof(info);
  (isInput ? mxn_model_input_info : mxn_model_output_info)(session.model, session.function, index, &info);
  return info;
}

static int readInputs(Session &session) {
  uint32_t count = mxn_model_input_count(session.model, session.function);
  std::vector<bool> given(count);
  session.arrays.resize(count);
  session.inputs.resize(count);
  for (const std::string &text : inputOption.values) {
    std::string name, file;
    if (!splitAssignment(text, name, file))
      return error(tool, "--input needs NAME=FILE.npy, '%s' came", text.c_str());
    uint32_t index = 0;
    while (index < count && name != infoOf(session, index, true).name)
      ++index;
    if (index == count)
      return error(tool, "the function has no input \"%s\"; mxn-inspect lists them", name.c_str());
    mxn_tensor_info_t info = infoOf(session, index, true);
    Array &array = session.arrays[index];
    array = Array();
    std::string wrong = readNpy(file, array);
    if (!wrong.empty())
      return error(tool, "%s", wrong.c_str());
    if (!holds(array, info.type))
      return error(tool, "%s holds elements of NumPy's type '%s', input \"%s\" is of %s", file.c_str(),
                   array.type.c_str(), info.name, mxn_type_name(info.type));
    mxn_tensor_t &tensor = session.inputs[index];
    tensor = {};
    tensor.struct_size = sizeof(tensor);
    tensor.type = info.type;
    tensor.rank = array.dims.size();
    std::copy(array.dims.begin(), array.dims.end(), tensor.dims);
    tensor.data = array.storage.data();
    tensor.bytes = array.bytes;
    given[index] = true;
  }
  for (uint32_t i = 0; i < count; ++i)
    if (!given[i])
      return error(tool, "input \"%s\" is missing: add --input=%s=FILE.npy", infoOf(session, i, true).name,
                   infoOf(session, i, true).name);
  return 0;
}

static int writeOutputs(Session &session) {
  uint32_t count = mxn_model_output_count(session.model, session.function);
  auto write = [&](uint32_t index, const std::string &file) {
    mxn_tensor_t tensor = {};
    tensor.struct_size = sizeof(tensor);
    if (mxn_context_output(session.context, index, &tensor) != MXN_STATUS_OK)
      return error(tool, "%s", mxn_last_error());
    std::string wrong = writeNpy(file, tensor);
    return wrong.empty() ? 0 : error(tool, "%s", wrong.c_str());
  };
  for (const std::string &text : outputOption.values) {
    std::string name, file;
    splitAssignment(text, name, file);
    for (uint32_t i = 0; i < count; ++i)
      if (name == infoOf(session, i, false).name)
        if (int code = write(i, file))
          return code;
  }
  if (!outputDirOption.given)
    return 0;
  std::string wrong = makeFolder(outputDirOption.last());
  if (!wrong.empty())
    return error(tool, "%s", wrong.c_str());
  for (uint32_t i = 0; i < count; ++i)
    if (int code = write(i, outputDirOption.last() + "/" + fileName(infoOf(session, i, false).name) + ".npy"))
      return code;
  return 0;
}

// Names are checked before the model runs, which may take long.
static int checkOutputs(const Session &session) {
  uint32_t count = mxn_model_output_count(session.model, session.function);
  for (const std::string &text : outputOption.values) {
    std::string name, file;
    if (!splitAssignment(text, name, file))
      return error(tool, "--output needs NAME=FILE.npy, '%s' came", text.c_str());
    bool found = false;
    for (uint32_t i = 0; i < count; ++i)
      found |= name == infoOf(session, i, false).name;
    if (!found)
      return error(tool, "the function has no output \"%s\"; mxn-inspect lists them", name.c_str());
  }
  return 0;
}

static double milliseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

// Runs until 1.5 s have passed, after one run to warm up, which the caller has done. Binding is part of each call.
static mxn_status_t measure(Session &session, std::vector<double> &times) {
  double begin = milliseconds();
  while (times.size() < 3 || milliseconds() - begin < 1500) {
    double start = milliseconds();
    mxn_status_t status =
        mxn_context_bind(session.context, session.function, session.inputs.data(), session.inputs.size());
    if (status == MXN_STATUS_OK)
      status = mxn_context_run(session.context);
    if (status != MXN_STATUS_OK)
      return status;
    times.push_back(milliseconds() - start);
  }
  std::sort(times.begin(), times.end());
  return MXN_STATUS_OK;
}

static void report(Session &session, const std::vector<double> &times) {
  mxn_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  mxn_context_stats(session.context, &stats);
  auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  uint32_t count = mxn_model_output_count(session.model, session.function);
  if (jsonOption.given)
    printf("{\"outputs\": [");
  for (uint32_t i = 0; i < count; ++i) {
    mxn_tensor_t tensor = {};
    tensor.struct_size = sizeof(tensor);
    mxn_context_output(session.context, i, &tensor);
    std::string shape;
    for (uint32_t axis = 0; axis < tensor.rank; ++axis)
      shape += (axis ? ", " : "") + std::to_string(tensor.dims[axis]);
    const char *name = infoOf(session, i, false).name;
    if (jsonOption.given)
      printf("%s{\"name\": %s, \"type\": \"%s\", \"shape\": [%s]}", i ? ", " : "", quote(name).c_str(),
             mxn_type_name(tensor.type), shape.c_str());
    else
      printf("%s: %s [%s]\n", name, mxn_type_name(tensor.type), shape.c_str());
  }
  if (jsonOption.given) {
    printf("], \"threads\": %u, \"transient_bytes\": %llu, \"bytes_copied\": %llu, \"dispatches\": %llu", stats.threads,
           number(stats.transient_bytes), number(stats.bytes_copied), number(stats.dispatches));
    if (!times.empty())
      printf(", \"runs\": %zu, \"median_ms\": %.6f, \"minimum_ms\": %.6f, \"maximum_ms\": %.6f", times.size(),
             times[times.size() / 2], times.front(), times.back());
    printf("}\n");
  } else if (!times.empty()) {
    printf("median %.4f ms (minimum %.4f, maximum %.4f, %zu runs, %u threads)\n", times[times.size() / 2],
           times.front(), times.back(), times.size(), stats.threads);
  }
}

int main(int argc, char **argv) {
  CommandLine line{tool,
                   "runs a function of an MxN bundle",
                   "[options] <bundle>",
                   {&inputOption, &outputOption, &outputDirOption, &functionOption, &threadsOption, &benchmarkOption,
                    &profileOption, &jsonOption}};
  int code;
  if (!line.parse(argc, argv, &code))
    return code;
  if (line.positional.size() != 1)
    return error(tool, "one bundle is needed, %zu came", line.positional.size());
  mxn_context_options_t options = {};
  options.struct_size = sizeof(options);
  if (threadsOption.given && !parseNumber(threadsOption.last(), &options.threads))
    return error(tool, "--threads needs a number, '%s' came", threadsOption.last().c_str());

  Session session;
  if (mxn_model_open(line.positional[0].c_str(), nullptr, &session.model) != MXN_STATUS_OK ||
      mxn_model_find_function(session.model, functionOption.given ? functionOption.last().c_str() : "main",
                              &session.function) != MXN_STATUS_OK)
    return error(tool, "%s", mxn_last_error());
  if ((code = readInputs(session)) || (code = checkOutputs(session)))
    return code;
  auto failed = [](mxn_status_t status) { return status != MXN_STATUS_OK; };
  std::vector<double> times;
  if (failed(mxn_context_create(session.model, &options, &session.context)) ||
      failed(mxn_context_bind(session.context, session.function, session.inputs.data(), session.inputs.size())) ||
      failed(mxn_context_run(session.context)) || (benchmarkOption.given && failed(measure(session, times))))
    return error(tool, "%s", mxn_last_error());
  if (profileOption.given &&
      (failed(mxn_context_profile(session.context, 1)) || failed(mxn_context_run(session.context)) ||
       failed(mxn_context_write_trace(session.context, profileOption.last().c_str()))))
    return error(tool, "%s", mxn_last_error());
  if ((code = writeOutputs(session)))
    return code;
  report(session, times);
  return finish(tool);
}
