// TestBundle.cpp - builds small bundles for the unit tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/Runtime/TestBundle.h"

#include "mxn/Bundle/Format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mxn;
using namespace mxn::test;

AlignedBytes::AlignedBytes(const Bytes &bytes) : length(bytes.size()) {
  // Exactly as long as the file, so that a sanitizer sees every step beyond it.
  if (posix_memalign(reinterpret_cast<void **>(&data), 64, length ? length : 1) != 0)
    abort();
  if (length)
    memcpy(data, bytes.data(), length);
}

AlignedBytes::~AlignedBytes() { free(data); }

Bytes test::readKernels() { return readFile(MXN_TEST_KERNELS); }

Bytes test::readFile(const char *path) {
  Bytes bytes;
  FILE *file = fopen(path, "rb");
  if (!file)
    abort();
  uint8_t buffer[4096];
  while (size_t count = fread(buffer, 1, sizeof(buffer), file))
    bytes.insert(bytes.end(), buffer, buffer + count);
  fclose(file);
  return bytes;
}

const char *test::baseLevel() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "riscv64";
#endif
}

FunctionBuilder::FunctionBuilder(const char *name) : function(std::make_unique<bundle::FunctionT>()) {
  function->name = name;
}

uint32_t FunctionBuilder::constant(int64_t value) {
  bundle::ConstantOpT op;
  op.result = newRegister();
  op.value = value;
  function->prologue.push_back(instruction(op));
  return op.result;
}

uint32_t FunctionBuilder::inputDim(uint32_t input, uint32_t axis) {
  bundle::InputDimT op;
  op.result = newRegister();
  op.input = input;
  op.axis = axis;
  function->prologue.push_back(instruction(op));
  return op.result;
}

uint32_t FunctionBuilder::arith(bundle::Arith kind, uint32_t lhs, uint32_t rhs) {
  bundle::ArithOpT op;
  op.kind = kind;
  op.result = newRegister();
  op.lhs = lhs;
  op.rhs = rhs;
  function->prologue.push_back(instruction(op));
  return op.result;
}

void FunctionBuilder::checkEqual(uint32_t lhs, uint32_t rhs, const char *message) {
  bundle::CheckEqualT op;
  op.lhs = lhs;
  op.rhs = rhs;
  op.message = message;
  function->prologue.push_back(instruction(op));
}

static std::unique_ptr<bundle::TensorT> makeSignature(const char *name, bundle::ElementType type,
                                                      const std::vector<std::pair<const char *, uint32_t>> &dims) {
  auto tensor = std::make_unique<bundle::TensorT>();
  tensor->name = name;
  tensor->type = type;
  for (auto &dim : dims) {
    tensor->dims.push_back(std::make_unique<bundle::DimT>());
    tensor->dims.back()->name = dim.first;
    tensor->dims.back()->size = dim.second;
  }
  return tensor;
}

uint32_t FunctionBuilder::addInput(const char *name, bundle::ElementType type,
                                   std::vector<std::pair<const char *, uint32_t>> dims, uint32_t bytes) {
  function->inputs.push_back(makeSignature(name, type, dims));
  auto buffer = std::make_unique<bundle::BufferT>();
  buffer->kind = bundle::BufferKind_Input;
  buffer->index = function->inputs.size() - 1;
  buffer->size = bytes;
  function->buffers.push_back(std::move(buffer));
  return function->buffers.size() - 1;
}

uint32_t FunctionBuilder::addOutput(const char *name, bundle::ElementType type,
                                    std::vector<std::pair<const char *, uint32_t>> dims, uint32_t bytes,
                                    int donatedInput) {
  function->outputs.push_back(makeSignature(name, type, dims));
  auto buffer = std::make_unique<bundle::BufferT>();
  buffer->kind = bundle::BufferKind_Output;
  buffer->index = function->outputs.size() - 1;
  buffer->size = bytes;
  buffer->donated_input = donatedInput;
  function->buffers.push_back(std::move(buffer));
  return function->buffers.size() - 1;
}

uint32_t FunctionBuilder::addTransient(uint32_t bytes, uint32_t first, uint32_t last) {
  auto buffer = std::make_unique<bundle::BufferT>();
  buffer->kind = bundle::BufferKind_Transient;
  buffer->size = bytes;
  buffer->first = first;
  buffer->last = last;
  function->buffers.push_back(std::move(buffer));
  return function->buffers.size() - 1;
}

uint32_t FunctionBuilder::addConstant(uint32_t section, uint64_t offset, uint64_t length) {
  auto buffer = std::make_unique<bundle::BufferT>();
  buffer->kind = bundle::BufferKind_Constant;
  buffer->index = section;
  buffer->offset = offset;
  buffer->length = length;
  function->buffers.push_back(std::move(buffer));
  return function->buffers.size() - 1;
}

uint32_t FunctionBuilder::addBlock() {
  function->blocks.push_back(std::make_unique<bundle::BlockT>());
  return function->blocks.size() - 1;
}

std::unique_ptr<bundle::SliceT> FunctionBuilder::slice(uint32_t buffer, uint32_t offset, uint32_t length) {
  auto result = std::make_unique<bundle::SliceT>();
  result->buffer = buffer;
  result->offset = offset;
  result->length = length;
  return result;
}

void FunctionBuilder::dispatch(uint32_t block, uint32_t kernel, std::vector<std::array<uint32_t, 3>> slices,
                               std::vector<uint8_t> writes, std::vector<uint32_t> constants,
                               std::array<uint32_t, 3> grid) {
  bundle::DispatchT op;
  op.kernel = kernel;
  for (auto &part : slices)
    op.bindings.push_back(slice(part[0], part[1], part[2]));
  op.writes.assign(writes.begin(), writes.end());
  op.constants = constants;
  op.grid.assign(grid.begin(), grid.end());
  add(block, std::move(op), 0);
}

void FunctionBuilder::copy(uint32_t block, std::array<uint32_t, 3> source, std::array<uint32_t, 3> target) {
  bundle::CopyT op;
  op.source = slice(source[0], source[1], source[2]);
  op.target = slice(target[0], target[1], target[2]);
  add(block, std::move(op), 0);
}

bundle::ManifestT test::makeManifest(std::unique_ptr<bundle::FunctionT> function) {
  bundle::ManifestT manifest;
  manifest.producer = "unit test";
  manifest.model_name = "tiny";
  auto plan = std::make_unique<bundle::PlanT>();
  plan->driver = "cpu";
  auto addKernel = [&](const char *name, uint32_t bindings, uint32_t constants) {
    plan->kernels.push_back(std::make_unique<bundle::KernelT>());
    plan->kernels.back()->name = name;
    plan->kernels.back()->bindings = bindings;
    plan->kernels.back()->constants = constants;
  };
  addKernel("binary", 3, 1);
  addKernel("count", 2, 2);
  addKernel("complain", 0, 2);
  addKernel("toy", 10, 0);
  plan->locations = {"/layers.0/Add", "/layers.1/Mul"};
  plan->functions.push_back(std::move(function));
  plan->code.push_back(std::make_unique<bundle::CodeObjectT>());
  plan->code.back()->section = 1;
  plan->code.back()->level = baseLevel();
  manifest.plans.push_back(std::move(plan));
  manifest.metadata.push_back(std::make_unique<bundle::AttributeT>());
  manifest.metadata.back()->key = "license";
  manifest.metadata.back()->value = "none";
  return manifest;
}

std::unique_ptr<bundle::FunctionT> test::makeMain() {
  FunctionBuilder f("main");
  uint32_t zero = f.constant(0), one = f.constant(1), four = f.constant(4), n = f.inputDim(0, 0);
  uint32_t bytes = f.arith(bundle::Arith_Mul, n, four);
  uint32_t x = f.addInput("x", bundle::ElementType_Float32, {{"n", n}}, bytes);
  uint32_t z = f.addOutput("z", bundle::ElementType_Float32, {{"n", n}}, bytes);
  uint32_t w = f.addConstant(0, 0, 64);
  uint32_t square = f.addTransient(bytes, 0, 1), sum = f.addTransient(bytes, 1, 2);
  uint32_t body = f.addBlock();
  f.dispatch(body, 0, {{x, zero, bytes}, {x, zero, bytes}, {square, zero, bytes}}, {0, 0, 1}, {one}, {n, one, one});
  f.dispatch(body, 0, {{square, zero, bytes}, {w, zero, bytes}, {sum, zero, bytes}}, {0, 0, 1}, {zero}, {n, one, one});
  f.copy(body, {sum, zero, bytes}, {z, zero, bytes});
  return std::move(f.function);
}

static uint64_t align(uint64_t offset) {
  return (offset + MXN_BUNDLE_SECTION_ALIGNMENT - 1) / MXN_BUNDLE_SECTION_ALIGNMENT * MXN_BUNDLE_SECTION_ALIGNMENT;
}

Bytes test::writeBundle(const bundle::ManifestT &source, const Attachments &attachments) {
  std::vector<Bytes> contents(2);
  for (int i = 0; i < 16; ++i) {
    float value = i;
    contents[0].insert(contents[0].end(), reinterpret_cast<uint8_t *>(&value), reinterpret_cast<uint8_t *>(&value + 1));
  }
  contents[1] = readKernels();
  for (const auto &attachment : attachments)
    contents.push_back(attachment.second);
  constexpr bundle::SectionKind kinds[] = {bundle::SectionKind_Weights, bundle::SectionKind_Code,
                                           bundle::SectionKind_Tokenizer};
  // The manifest is packed as it is, with sections that follow at a fixed place.
  bundle::ManifestT manifest;
  {
    flatbuffers::FlatBufferBuilder copy;
    copy.Finish(bundle::Manifest::Pack(copy, &source));
    flatbuffers::GetRoot<bundle::Manifest>(copy.GetBufferPointer())->UnPackTo(&manifest);
  }
  uint64_t offset = align(1 << 16), end = 0;
  bool hasSections = !manifest.sections.empty();
  for (size_t i = 0; i < contents.size(); ++i) {
    if (!hasSections) {
      manifest.sections.push_back(std::make_unique<bundle::SectionT>());
      bundle::SectionT &section = *manifest.sections.back();
      section.kind = kinds[std::min<size_t>(i, 2)];
      section.offset = offset;
      section.length = contents[i].size();
      section.hash = i == 0 ? 0 : XXH3_64bits(contents[i].data(), contents[i].size());
      section.name = i >= 2 ? attachments[i - 2].first : "";
    }
    end = offset + contents[i].size();
    offset = align(end);
  }
  flatbuffers::FlatBufferBuilder builder;
  bundle::FinishManifestBuffer(builder, bundle::Manifest::Pack(builder, &manifest));
  Bytes file(end);
  if (builder.GetSize() > 65536 - sizeof(mxn_bundle_header_t))
    abort();
  mxn_bundle_header_t header = {};
  memcpy(header.magic, MXN_BUNDLE_MAGIC, 8);
  header.version_major = MXN_BUNDLE_VERSION_MAJOR;
  header.version_minor = MXN_BUNDLE_VERSION_MINOR;
  header.file_length = end;
  header.manifest_offset = sizeof(header);
  header.manifest_length = builder.GetSize();
  memcpy(file.data(), &header, sizeof(header));
  memcpy(file.data() + sizeof(header), builder.GetBufferPointer(), builder.GetSize());
  offset = align(1 << 16);
  for (const Bytes &content : contents) {
    memcpy(file.data() + offset, content.data(), content.size());
    offset = align(offset + content.size());
  }
  rehash(file.data(), file.size());
  return file;
}

void test::rehash(uint8_t *file, uint64_t length) {
  mxn_bundle_header_t header;
  if (length < sizeof(header))
    return;
  memcpy(&header, file, sizeof(header));
  if (header.manifest_offset <= length && header.manifest_length <= length - header.manifest_offset)
    header.manifest_hash = XXH3_64bits(file + header.manifest_offset, header.manifest_length);
  header.header_hash = XXH3_64bits(&header, offsetof(mxn_bundle_header_t, header_hash));
  memcpy(file, &header, sizeof(header));
}

OpenModel::OpenModel(const Bytes &content) : bytes(content) {
  status = mxn_model_open_memory(bytes.data, bytes.length, nullptr, &model);
}

OpenModel::OpenModel(std::unique_ptr<bundle::FunctionT> function)
    : OpenModel(writeBundle(makeManifest(std::move(function)))) {}

OpenModel::~OpenModel() { mxn_model_close(model); }

OpenContext::OpenContext(OpenModel &model, uint32_t threads) {
  mxn_context_options_t options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  if (mxn_context_create(model.model, &options, &context) != MXN_STATUS_OK)
    fprintf(stderr, "no context: %s\n", mxn_last_error());
}

OpenContext::~OpenContext() { mxn_context_destroy(context); }

mxn_tensor_t test::makeTensor(mxn_type_t type, std::vector<int64_t> dims, void *data, uint64_t bytes, uint32_t flags) {
  mxn_tensor_t tensor = {};
  tensor.struct_size = sizeof(tensor);
  tensor.type = type;
  tensor.rank = dims.size();
  for (size_t i = 0; i < dims.size(); ++i)
    tensor.dims[i] = dims[i];
  tensor.data = data;
  tensor.bytes = bytes;
  tensor.flags = flags;
  return tensor;
}
