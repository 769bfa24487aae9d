// Listing.cpp - a function's buffers and instructions as text.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/mxn-inspect/Inspect.h"

#include <cstdio>

using namespace mxn;
using namespace mxn::tools;

static unsigned long long number(uint64_t value) { return value; }

static std::string reg(uint32_t index) { return "r" + std::to_string(index); }

static std::string slice(const bundle::Slice *part) {
  return "b" + std::to_string(part->buffer()) + "[" + reg(part->offset()) + ", " + reg(part->length()) + "]";
}

namespace {
// Prints instructions, nested ones deeper, with the numbers that buffers' ranges mean.
struct Printer {
  const bundle::Plan &plan;
  const bundle::Function &function;
  unsigned next = 0;

  void printDispatch(const bundle::Dispatch &op) {
    printf("dispatch %s(", text(plan.kernels()->Get(op.kernel())->name()).c_str());
    for (unsigned i = 0; i < count(op.bindings()); ++i)
      printf("%s%s%s", i ? ", " : "", op.writes()->Get(i) ? "out " : "", slice(op.bindings()->Get(i)).c_str());
    printf(";");
    for (unsigned i = 0; i < count(op.constants()); ++i)
      printf(" %s", reg(op.constants()->Get(i)).c_str());
    printf(") grid %s x %s x %s", reg(op.grid()->Get(0)).c_str(), reg(op.grid()->Get(1)).c_str(),
           reg(op.grid()->Get(2)).c_str());
  }

  void printOp(const bundle::Instruction &instruction) {
    if (auto *op = instruction.op_as_ConstantOp())
      printf("r%u = %lld", op->result(), static_cast<long long>(op->value()));
    else if (auto *op = instruction.op_as_InputDim())
      printf("r%u = dim %u of input %u", op->result(), op->axis(), op->input());
    else if (auto *op = instruction.op_as_ArithOp())
      printf("r%u = %s r%u, r%u", op->result(), bundle::EnumNameArith(op->kind()), op->lhs(), op->rhs());
    else if (auto *op = instruction.op_as_SelectOp())
      printf("r%u = r%u ? r%u : r%u", op->result(), op->condition(), op->if_true(), op->if_false());
    else if (auto *op = instruction.op_as_CheckEqual())
      printf("check r%u == r%u \"%s\"", op->lhs(), op->rhs(), text(op->message()).c_str());
    else if (auto *op = instruction.op_as_CheckAtLeast())
      printf("check r%u >= r%u \"%s\"", op->lhs(), op->rhs(), text(op->message()).c_str());
    else if (auto *op = instruction.op_as_ReadOp())
      printf("r%u = read %s %s, %lld to %lld", op->result(), bundle::EnumNameElementType(op->type()),
             slice(op->source()).c_str(), static_cast<long long>(op->minimum()), static_cast<long long>(op->maximum()));
    else if (auto *op = instruction.op_as_Dispatch())
      printDispatch(*op);
    else if (auto *op = instruction.op_as_Copy())
      printf("copy %s to %s", slice(op->source()).c_str(), slice(op->target()).c_str());
    else if (auto *op = instruction.op_as_Fill())
      printf("fill %s with %u", slice(op->target()).c_str(), op->value());
    else if (auto *op = instruction.op_as_If())
      printf("if r%u", op->condition());
    else if (auto *op = instruction.op_as_Loop()) {
      printf("for r%u below r%u", op->counter(), op->trips());
      if (op->has_condition())
        printf(" while %s", slice(op->condition()).c_str());
    }
    if (instruction.location() >= 0)
      printf("  ; %s", text(plan.locations()->Get(instruction.location())).c_str());
    printf("\n");
  }

  // The runtime has checked that blocks form a tree of bounded depth.
  void printBlock(unsigned block, int depth) {
    const auto *instructions = function.blocks()->Get(block)->instructions();
    for (unsigned i = 0; i < count(instructions); ++i) {
      const bundle::Instruction *instruction = instructions->Get(i);
      printf("%6u: %*s", next++, depth * 2, "");
      printOp(*instruction);
      if (auto *op = instruction->op_as_If()) {
        if (op->then_block())
          printBlock(op->then_block(), depth + 1);
        if (op->else_block()) {
          printf("        %*selse\n", depth * 2, "");
          printBlock(op->else_block(), depth + 1);
        }
      } else if (auto *op = instruction->op_as_Loop(); op && op->block()) {
        printBlock(op->block(), depth + 1);
      }
    }
  }

  void printBuffer(unsigned index) {
    const bundle::Buffer *buffer = function.buffers()->Get(index);
    printf("  b%u = %s", index, bundle::EnumNameBufferKind(buffer->kind()));
    if (buffer->kind() == bundle::BufferKind_Transient)
      printf(", r%u bytes, instructions %u to %u", buffer->size(), buffer->first(), buffer->last());
    else if (buffer->kind() == bundle::BufferKind_Constant)
      printf(" in section %u, %llu bytes at %llu", buffer->index(), number(buffer->length()), number(buffer->offset()));
    else
      printf(" %u, r%u bytes", buffer->index(), buffer->size());
    if (buffer->donated_input() >= 0)
      printf(", may take over input %d", buffer->donated_input());
    printf("\n");
  }
};
} // namespace

void tools::printProgram(const bundle::Manifest &manifest) {
  for (unsigned p = 0; p < count(manifest.plans()); ++p) {
    const bundle::Plan *plan = manifest.plans()->Get(p);
    for (unsigned f = 0; f < count(plan->functions()); ++f) {
      const bundle::Function *function = plan->functions()->Get(f);
      printf("plan %u, function %s\n", p, text(function->name()).c_str());
      Printer printer = {*plan, *function};
      for (unsigned i = 0; i < count(function->buffers()); ++i)
        printer.printBuffer(i);
      for (unsigned i = 0; i < count(function->prologue()); ++i) {
        printf("  ");
        printer.printOp(*function->prologue()->Get(i));
      }
      if (count(function->blocks()))
        printer.printBlock(0, 0);
    }
  }
}
