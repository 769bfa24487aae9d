//===- ConvertKernelToLLVM.cpp - The CPU's calling convention -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "targets/CPU/Passes.h"

using namespace mlir;

namespace mxn::cpu {
#define GEN_PASS_DEF_CONVERTKERNELTOLLVMPASS
#include "targets/CPU/Passes.h.inc"

namespace {

/// The arguments of a kernel. Its body has one more for each binding.
enum Argument { Bindings, Lengths, Constants, GridX, Addresses = GridX + 3 };

/// Moves the kernel into a function of its own that takes the bindings' addresses as arguments: only so can LLVM be
/// told that they don't overlap. It inlines the function and remembers.
func::FuncOp splitBody(func::FuncOp kernel) {
  OpBuilder b(kernel);
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  SmallVector<Type> types = {pointer, pointer, pointer, i64, i64, i64};
  kernel.setType(b.getFunctionType(types, i32));
  kernel.setPublic();
  llvm::SmallBitVector apart;
  kernel.walk([&](kernel::BindingOp binding) {
    apart.resize(std::max<unsigned>(apart.size(), binding.getIndex() + 1));
    apart[binding.getIndex()] = binding.getApart();
  });
  types.append(apart.size(), pointer);
  auto body = func::FuncOp::create(b, loc, (kernel.getName() + ".body").str(), b.getFunctionType(types, i32));
  body.setPrivate();
  body->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  body.getBody().takeBody(kernel.getBody());
  for (Type type : types)
    body.getBody().front().addArgument(type, loc);
  for (unsigned i : apart.set_bits())
    body.setArgAttr(Addresses + i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  b.setInsertionPointToStart(kernel.addEntryBlock());
  SmallVector<Value> arguments(kernel.getArguments());
  for (int32_t i = 0; i < static_cast<int32_t>(apart.size()); ++i) {
    Value at = LLVM::GEPOp::create(b, loc, pointer, pointer, kernel.getArgument(Bindings), ArrayRef<LLVM::GEPArg>{i});
    arguments.push_back(LLVM::LoadOp::create(b, loc, pointer, at));
  }
  auto call = func::CallOp::create(b, loc, body, arguments);
  func::ReturnOp::create(b, loc, call.getResults());
  return body;
}

/// Gives the function its status, before types are converted.
void setStatus(func::FuncOp kernel) {
  OpBuilder b(kernel.getContext());
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  b.setInsertionPointToStart(&kernel.getBody().front());
  Value zero = LLVM::ConstantOp::create(b, loc, i32, 0);
  Value one = LLVM::ConstantOp::create(b, loc, i64, 1);
  Value status;
  kernel.walk([&](kernel::CheckOp check) {
    if (!status) {
      status = LLVM::AllocaOp::create(b, loc, pointer, i32, one);
      LLVM::StoreOp::create(b, loc, zero, status);
    }
    OpBuilder at(check);
    // Written without a branch: the status keeps its value where the condition holds.
    Value old = LLVM::LoadOp::create(at, check.getLoc(), i32, status);
    Value code = LLVM::ConstantOp::create(at, check.getLoc(), i32, static_cast<int64_t>(check.getCode()));
    Value now = LLVM::SelectOp::create(at, check.getLoc(), check.getCondition(), old, code);
    LLVM::StoreOp::create(at, check.getLoc(), now, status);
    check.erase();
  });
  kernel.walk([&](func::ReturnOp ret) {
    OpBuilder at(ret);
    Value result = status ? LLVM::LoadOp::create(at, loc, i32, status).getResult() : zero;
    ret->setOperands(result);
  });
}

Value argument(Operation *op, unsigned i) {
  // The entry block's arguments; the function may be a func.func or already an llvm.func.
  Operation *function = op->getParentOp();
  while (!isa<FunctionOpInterface>(function))
    function = function->getParentOp();
  return cast<FunctionOpInterface>(function).getArgument(i);
}

struct ConstantLowering : ConvertOpToLLVMPattern<kernel::ConstantOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(kernel::ConstantOp op, OpAdaptor, ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value at = LLVM::GEPOp::create(b, loc, pointer, b.getI64Type(), argument(op, Constants),
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(op.getIndex())});
    auto load = LLVM::LoadOp::create(b, loc, b.getI64Type(), at);
    load.setInvariant(true);
    b.replaceOp(op, load);
    return success();
  }
};

struct GridIdLowering : ConvertOpToLLVMPattern<kernel::GridIdOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(kernel::GridIdOp op, OpAdaptor, ConversionPatternRewriter &b) const override {
    b.replaceOp(op, argument(op, GridX + op.getAxis()));
    return success();
  }
};

struct BindingLowering : ConvertOpToLLVMPattern<kernel::BindingOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(kernel::BindingOp op, OpAdaptor adaptor, ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getMemref().getType());
    Value address = argument(op, Addresses + op.getIndex());
    auto descriptor = MemRefDescriptor::poison(b, loc, getTypeConverter()->convertType(type));
    descriptor.setAllocatedPtr(b, loc, address);
    descriptor.setAlignedPtr(b, loc, address);
    descriptor.setConstantOffset(b, loc, 0);
    unsigned dynamic = type.getNumDynamicDims();
    Value stride = LLVM::ConstantOp::create(b, loc, b.getI64Type(), 1);
    for (int64_t i = type.getRank() - 1; i >= 0; --i) {
      Value size = type.isDynamicDim(i)
                       ? adaptor.getSizes()[--dynamic]
                       : LLVM::ConstantOp::create(b, loc, b.getI64Type(), type.getDimSize(i)).getResult();
      descriptor.setSize(b, loc, i, size);
      descriptor.setStride(b, loc, i, stride);
      if (i)
        stride = LLVM::MulOp::create(b, loc, stride, size);
    }
    b.replaceOp(op, Value(descriptor));
    return success();
  }
};

struct ConvertKernelToLLVM : impl::ConvertKernelToLLVMPassBase<ConvertKernelToLLVM> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      setStatus(splitBody(kernel));
    LowerToLLVMOptions options(context);
    LLVMTypeConverter types(context, options);
    RewritePatternSet patterns(context);
    patterns.add<ConstantLowering, GridIdLowering, BindingLowering>(types);
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    index::populateIndexToLLVMConversionPatterns(types, patterns);
    populateFuncToLLVMConversionPatterns(types, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(types, patterns);
    populateMathToLLVMConversionPatterns(types, patterns);
    ub::populateUBToLLVMConversionPatterns(types, patterns);
    populateVectorToLLVMConversionPatterns(types, patterns);
    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    target.addIllegalDialect<kernel::KernelDialect>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mxn::cpu
