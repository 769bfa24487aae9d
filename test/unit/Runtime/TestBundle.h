// TestBundle.h - builds small bundles for the unit tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TEST_UNIT_RUNTIME_TESTBUNDLE_H
#define MXN_TEST_UNIT_RUNTIME_TESTBUNDLE_H

#include "bundle_generated.h"
#include "mxn/Runtime/Runtime.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mxn::test {

using Bytes = std::vector<uint8_t>;

// Memory that is aligned as a mapped file is.
class AlignedBytes {
public:
  explicit AlignedBytes(const Bytes &bytes);
  ~AlignedBytes();
  AlignedBytes(const AlignedBytes &) = delete;
  uint8_t *data = nullptr;
  uint64_t length;
};

Bytes readFile(const char *path);

// The bytes of Kernels.c as a shared object.
Bytes readKernels();

// The level that every machine of this architecture has.
const char *baseLevel();

// Adds instructions and buffers to a function; registers are numbered by themselves.
class FunctionBuilder {
public:
  explicit FunctionBuilder(const char *name);

  // Registers of the prologue.
  uint32_t constant(int64_t value);
  uint32_t inputDim(uint32_t input, uint32_t axis);
  uint32_t arith(bundle::Arith kind, uint32_t lhs, uint32_t rhs);
  void checkEqual(uint32_t lhs, uint32_t rhs, const char *message);

  uint32_t addInput(const char *name, bundle::ElementType type, std::vector<std::pair<const char *, uint32_t>> dims,
                    uint32_t bytes);
  uint32_t addOutput(const char *name, bundle::ElementType type, std::vector<std::pair<const char *, uint32_t>> dims,
                     uint32_t bytes, int donatedInput = -1);
  uint32_t addTransient(uint32_t bytes, uint32_t first, uint32_t last);
  uint32_t addConstant(uint32_t section, uint64_t offset, uint64_t length);

  // Instructions of a block.
  uint32_t addBlock();
  std::unique_ptr<bundle::SliceT> slice(uint32_t buffer, uint32_t offset, uint32_t length);
  void dispatch(uint32_t block, uint32_t kernel, std::vector<std::array<uint32_t, 3>> slices,
                std::vector<uint8_t> writes, std::vector<uint32_t> constants, std::array<uint32_t, 3> grid);
  void copy(uint32_t block, std::array<uint32_t, 3> source, std::array<uint32_t, 3> target);
  template <typename T> void add(uint32_t block, T op, int32_t location = -1) {
    function->blocks[block]->instructions.push_back(instruction(std::move(op), location));
  }
  template <typename T> static std::unique_ptr<bundle::InstructionT> instruction(T op, int32_t location = -1) {
    auto result = std::make_unique<bundle::InstructionT>();
    result->op.Set(std::move(op));
    result->location = location;
    return result;
  }

  uint32_t newRegister() { return function->register_count++; }

  std::unique_ptr<bundle::FunctionT> function;
};

// A manifest with the kernels of Kernels.c ("binary", "count", "complain", "toy"), their code, and one section of
// weights (0).
bundle::ManifestT makeManifest(std::unique_ptr<bundle::FunctionT> function);

// "main": output z[i] = x[i] * x[i] + i for a dynamic n of at most 16, through two transient buffers and a copy.
std::unique_ptr<bundle::FunctionT> makeMain();

// "step" of the toy language model of Kernels.c: cache groups "all" and "near", a vocabulary of 512.
std::unique_ptr<bundle::FunctionT> makeStep();

// A file that a bundle carries.
using Attachments = std::vector<std::pair<std::string, Bytes>>;

// The file. Section 0 is 16 floats 0, 1, 2, ...; section 1 is the code; from 2 on are the attachments.
Bytes writeBundle(const bundle::ManifestT &manifest, const Attachments &attachments = {{"tokenizer.json", {'{', '}'}}});

// Makes the hashes fit the bytes again.
void rehash(uint8_t *file, uint64_t length);

// A model with its memory.
struct OpenModel {
  explicit OpenModel(const Bytes &bytes);
  explicit OpenModel(std::unique_ptr<bundle::FunctionT> function);
  ~OpenModel();
  AlignedBytes bytes;
  mxn_model_t *model = nullptr;
  mxn_status_t status;
};

struct OpenContext {
  explicit OpenContext(OpenModel &model, uint32_t threads = 1);
  ~OpenContext();
  mxn_context_t *context = nullptr;
};

mxn_tensor_t makeTensor(mxn_type_t type, std::vector<int64_t> dims, void *data, uint64_t bytes, uint32_t flags = 0);

} // namespace mxn::test

#endif
