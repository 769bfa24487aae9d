//===- Import.cpp - From plain data to a module ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Import.h"
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "lib/Import/Convert.h"
#include "lib/Import/Graph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mxn;

static mlir::Attribute modelAttr(MLIRContext *context, const import::plain::Model &model) {
  Builder builder(context);
  NamedAttrList opsets, metadata;
  for (const auto &[domain, version] : model.opsets)
    opsets.set(domain, builder.getI64IntegerAttr(version));
  for (const auto &[key, value] : model.metadata)
    if (!key.empty())
      metadata.set(key, builder.getStringAttr(value));
  return onnx::ModelAttr::get(context, model.irVersion, model.producer, model.producerVersion, model.domain,
                              model.modelVersion, model.graph.name, opsets.getDictionary(context),
                              metadata.getDictionary(context));
}

OwningOpRef<ModuleOp> import::importModel(MLIRContext &context, StringRef path, const Options &options) {
  context.loadDialect<func::FuncDialect, onnx::ONNXDialect, llm::LLMDialect, program::ProgramDialect>();
  Location file = FileLineColLoc::get(&context, path, 0, 0);

  LoadOptions load;
  load.allowExternalLinks = options.allowExternalLinks;
  if (options.isNative)
    load.isNative = [&](std::string_view domain, std::string_view op, int64_t version) {
      return options.isNative({domain.data(), domain.size()}, {op.data(), op.size()}, version);
    };
  plain::Model model;
  LoadError error;
  if (!loadModel(path.str(), load, model, error)) {
    if (error.node.empty())
      emitError(file) << error.message;
    else
      emitError(NameLoc::get(StringAttr::get(&context, error.node), file)) << error.message;
    return {};
  }

  for (const std::string &warning : model.warnings)
    emitWarning(file) << warning;

  OwningOpRef<ModuleOp> module(ModuleOp::create(file));
  (*module)->setAttr("onnx.model", modelAttr(&context, model));
  if (failed(buildMain(*module, model)) || failed(verify(*module)))
    return {};
  return module;
}
