//===- ProgramSerializer.h - program.function to the bundle's Function ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_BUNDLE_PROGRAMSERIALIZER_H
#define MXN_LIB_BUNDLE_PROGRAMSERIALIZER_H

#include "dialects/Program/ProgramDialect.h"
#include "lib/Bundle/Sections.h"
#include "llvm/ADT/DenseMap.h"

namespace mxn::bundle_writer {

/// Where a constant of the module stands.
struct ConstantPlace {
  uint32_t section;
  uint64_t offset, length;
};

/// Serialises the functions of one plan, which share kernels and locations.
class ProgramSerializer {
public:
  ProgramSerializer(bundle::PlanT &plan, const llvm::StringMap<ConstantPlace> &constants)
      : plan(plan), constants(constants) {}
  llvm::Error add(program::FunctionOp function);

private:
  uint32_t registerOf(mlir::Value v);
  uint32_t constantRegister(int64_t value);
  uint32_t fresh() { return function->register_count++; }
  llvm::Error prologueOp(mlir::Operation *op);
  llvm::Error bodyOp(mlir::Operation *op);
  llvm::Error addCacheGroup(program::CacheGroupAttr group);
  uint32_t bufferOf(mlir::Value buffer);
  uint32_t kernelIndex(program::DispatchOp op);
  std::unique_ptr<bundle::SliceT> slice(mlir::Value buffer, mlir::Value size, mlir::Value offset = {});
  std::vector<std::unique_ptr<bundle::InstructionT>> &placeOf(mlir::Operation *op);
  uint32_t newBlock();
  llvm::Error blockOps(mlir::Block &ops, uint32_t block);
  llvm::Error ifOp(program::IfOp op);
  llvm::Error loopOp(program::LoopOp op);
  std::unique_ptr<bundle::TensorT> tensor(program::TensorAttr attr, llvm::ArrayRef<uint32_t> dims);
  int32_t location(mlir::Location loc);
  template <typename T> void emit(std::vector<std::unique_ptr<bundle::InstructionT>> &list, T op, mlir::Location loc);

  bundle::PlanT &plan;
  const llvm::StringMap<ConstantPlace> &constants;
  bundle::FunctionT *function = nullptr;
  bundle::BlockT *body = nullptr;
  mlir::MLIRContext *context = nullptr;
  uint32_t instructionCount = 0; // in all blocks, in depth-first order
  llvm::DenseMap<mlir::Value, uint32_t> registers, buffers;
  llvm::DenseSet<mlir::Value> late; // registers that the body writes
  std::map<int64_t, uint32_t> constantRegisters;
  llvm::StringMap<uint32_t> kernels;
  llvm::StringMap<int32_t> locations;
};

} // namespace mxn::bundle_writer

#endif
