//===- CodeGeneration.cpp - Kernels to code objects, in worker processes --===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Compiler/CodeGeneration.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <deque>

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace mxn {

/// A worker's start costs about as much as a few dozen small kernels.
static constexpr size_t kKernelsPerGroup = 32;

static Error writeGroup(ModuleOp kernels, ArrayRef<func::FuncOp> group, StringRef path) {
  OwningOpRef<ModuleOp> part = ModuleOp::create(kernels.getLoc());
  for (func::FuncOp kernel : group)
    part->push_back(kernel.clone());
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code)
    return createStringError(code, "can't write " + path + ": " + code.message());
  bool written = succeeded(writeBytecodeToFile(*part, out));
  out.flush();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    return createStringError(code, "can't write " + path + ": " + code.message());
  }
  return written ? Error::success() : createStringError("can't write " + path);
}

namespace {
/// One run of a worker.
struct Job {
  std::string input, output;
  const plugin::CodegenOptions *options;
};
} // namespace

static std::vector<std::string> arguments(const Job &job, const plugin::Target &target, const CodeGeneration &how) {
  std::vector<std::string> args = {how.workerProgram,
                                   job.input,
                                   "--codegen-worker",
                                   "-o",
                                   job.output,
                                   "--target=" + target.name().str() + ":" + job.options->level.name,
                                   "--opt=" + std::to_string(job.options->optLevel)};
  llvm::append_range(args, how.workerArguments);
  return args;
}

static Error runJobs(ArrayRef<Job> jobs, const plugin::Target &target, const CodeGeneration &how) {
  std::deque<std::pair<llvm::sys::ProcessInfo, const Job *>> running;
  unsigned done = 0;
  Error failure = Error::success();
  auto waitForOne = [&] {
    auto [process, job] = running.front();
    running.pop_front();
    std::string message;
    llvm::sys::ProcessInfo result = llvm::sys::Wait(process, std::nullopt, &message);
    if (result.ReturnCode < 0)
      failure = llvm::joinErrors(std::move(failure), createStringError("a code generation worker died: " +
                                                                       (message.empty() ? "it crashed" : message)));
    else if (result.ReturnCode && !failure) // the worker has said why
      failure = createStringError("code generation failed");
    if (how.progress)
      how.progress(++done, jobs.size());
  };
  for (const Job &job : jobs) {
    while (running.size() >= std::max(1u, how.jobs))
      waitForOne();
    if (failure)
      break;
    std::vector<std::string> owned = arguments(job, target, how);
    SmallVector<StringRef> args(owned.begin(), owned.end());
    std::string message;
    bool failed = false;
    auto process = llvm::sys::ExecuteNoWait(how.workerProgram, args, std::nullopt, {}, 0, &message, &failed);
    if (failed) {
      failure = createStringError("can't start " + how.workerProgram + ": " + message);
      break;
    }
    running.push_back({process, &job});
  }
  while (!running.empty())
    waitForOne();
  return failure;
}

Expected<std::vector<std::string>> generateCode(ModuleOp kernels, const plugin::Target &target,
                                                ArrayRef<plugin::CodegenOptions> options, const CodeGeneration &how) {
  std::vector<func::FuncOp> all(kernels.getOps<func::FuncOp>().begin(), kernels.getOps<func::FuncOp>().end());
  auto file = [&](const llvm::Twine &name) {
    SmallString<256> path(how.workDirectory);
    llvm::sys::path::append(path, name);
    return std::string(path);
  };
  std::vector<std::string> inputs;
  // A model that only renames or reshapes has no kernels; its code object is empty but there.
  for (size_t begin = 0; begin < all.size() || !begin; begin += kKernelsPerGroup) {
    size_t count = std::min(kKernelsPerGroup, all.size() - begin);
    inputs.push_back(file("kernels" + llvm::Twine(inputs.size()) + ".mlirbc"));
    if (Error e = writeGroup(kernels, ArrayRef(all).slice(begin, count), inputs.back()))
      return std::move(e);
  }
  std::vector<Job> jobs;
  for (const plugin::CodegenOptions &option : options)
    for (auto [i, input] : llvm::enumerate(inputs))
      jobs.push_back({input, file(option.level.name + "." + llvm::Twine(i) + ".o"), &option});
  if (Error e = runJobs(jobs, target, how))
    return std::move(e);
  std::vector<std::string> outputs;
  for (const plugin::CodegenOptions &option : options) {
    std::vector<std::string> objects;
    for (const Job &job : jobs)
      if (job.options == &option)
        objects.push_back(job.output);
    outputs.push_back(file(option.level.name + ".so"));
    if (Error e = target.link(objects, outputs.back()))
      return std::move(e);
  }
  return outputs;
}

LogicalResult runWorker(MLIRContext &context, const plugin::Target &target, const plugin::CodegenOptions &options,
                        StringRef input, StringRef output) {
  auto module = parseSourceFile<ModuleOp>(input, &context);
  if (!module)
    return failure();
  PassManager pm(&context);
  target.buildPipeline(pm, options);
  if (failed(pm.run(*module)))
    return failure();
  SmallVector<char> object;
  if (Error e = target.emit(*module, options, object))
    return emitError(module->getLoc()) << toString(std::move(e));
  std::error_code code;
  llvm::raw_fd_ostream out(output, code);
  if (code)
    return emitError(module->getLoc()) << "can't write " << output << ": " << code.message();
  out.write(object.data(), object.size());
  out.flush();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    return emitError(module->getLoc()) << "can't write " << output << ": " << code.message();
  }
  return success();
}

} // namespace mxn
