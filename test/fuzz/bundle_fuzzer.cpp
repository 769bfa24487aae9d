// bundle_fuzzer.cpp - opens arbitrary bytes as a bundle, with hashes that fit, and binds its functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is run: kernels are native code, and whoever can change them may do anything. Seeds: bundles of the unit
// tests, which mxn-make-test-bundle writes.
#include "mxn/Bundle/Format.h"
#include "mxn/Runtime/Cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdlib>
#include <cstring>

static void fitHashes(uint8_t *file, size_t length) {
  mxn_bundle_header_t header;
  if (length < sizeof(header))
    return;
  memcpy(&header, file, sizeof(header));
  memcpy(header.magic, MXN_BUNDLE_MAGIC, sizeof(header.magic));
  header.version_major = MXN_BUNDLE_VERSION_MAJOR;
  header.manifest_offset = sizeof(header);
  header.file_length = length;
  if (header.manifest_length > length - sizeof(header))
    header.manifest_length = length - sizeof(header);
  header.manifest_hash = XXH3_64bits(file + sizeof(header), header.manifest_length);
  header.header_hash = XXH3_64bits(&header, offsetof(mxn_bundle_header_t, header_hash));
  memcpy(file, &header, sizeof(header));
}

static void bindAll(mxn_model_t *model) {
  mxn_context_options_t options = {};
  options.struct_size = sizeof(options);
  options.threads = 1;
  options.memory_limit = 1 << 20;
  mxn_context_t *context = nullptr;
  if (mxn_context_create(model, &options, &context) != MXN_STATUS_OK)
    return;
  alignas(8) static uint8_t data[4096];
  for (uint32_t function = 0; function < mxn_model_function_count(model); ++function) {
    mxn_tensor_t inputs[12] = {};
    uint32_t count = mxn_model_input_count(model, function);
    if (count > 12)
      continue;
    for (uint32_t i = 0; i < count; ++i) {
      mxn_tensor_info_t info = {};
      info.struct_size = sizeof(info);
      if (mxn_model_input_info(model, function, i, &info) != MXN_STATUS_OK)
        abort();
      inputs[i].struct_size = sizeof(inputs[i]);
      inputs[i].type = info.type;
      inputs[i].rank = info.rank;
      for (uint32_t axis = 0; axis < info.rank; ++axis)
        inputs[i].dims[axis] = info.dims[axis] < 0 ? 2 : info.dims[axis];
      inputs[i].data = data;
      inputs[i].bytes = sizeof(data);
    }
    mxn_context_bind(context, function, inputs, count);
    mxn_cache_options_t cacheOptions = {};
    cacheOptions.struct_size = sizeof(cacheOptions);
    cacheOptions.blocks = 2;
    mxn_cache_t *cache = nullptr;
    if (mxn_cache_create(model, function, &cacheOptions, &cache) == MXN_STATUS_OK)
      mxn_cache_destroy(cache);
  }
  mxn_context_destroy(context);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  void *memory = nullptr;
  if (posix_memalign(&memory, 64, length ? length : 1) != 0)
    return 0;
  if (length)
    memcpy(memory, bytes, length);
  fitHashes(static_cast<uint8_t *>(memory), length);
  mxn_model_t *model = nullptr;
  if (mxn_model_open_memory(memory, length, nullptr, &model) == MXN_STATUS_OK) {
    bindAll(model);
    mxn_model_close(model);
  }
  free(memory);
  return 0;
}
