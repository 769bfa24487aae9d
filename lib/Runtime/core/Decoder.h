// Decoder.h - turns a manifest into checked plans.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_DECODER_H
#define MXN_LIB_RUNTIME_CORE_DECODER_H

#include "lib/Runtime/core/Program.h"
#include "lib/Runtime/core/Status.h"

namespace mxn::runtime {

// Vectors of a FlatBuffer may be shared, so a small hostile file could decode into a huge program. Each decoded element
// takes from this budget, which an honest manifest, whose elements take at least a byte each, can't exhaust.
struct DecodeBudget {
  uint64_t left;
  bool take(uint64_t count) {
    if (count > left)
      return false;
    left -= count;
    return true;
  }
};

// Longest block nesting that is taken: deeper ones would need a deep stack to run.
constexpr unsigned maxBlockDepth = 64;

// Limits of things that are compared or scanned more than once, so that a small file can't keep the loader busy.
constexpr unsigned maxStringBytes = 4096;
constexpr unsigned maxFunctions = 1024;
constexpr unsigned maxCacheGroups = 256;

// Whether a text is UTF-8 without control characters. Texts end up in messages, traces and other people's terminals.
bool isCleanText(const uint8_t *text, size_t length);

// Checks that a string is clean text of at most maxStringBytes. A missing one is "".
mxn_status_t decodeString(const flatbuffers::String *string, const char *what, const char **out);

// Sections of `file`; all lie inside it.
mxn_status_t decodeSections(const bundle::Manifest &manifest, const uint8_t *file, uint64_t fileLength,
                            std::vector<Section> &out);

mxn_status_t decodePlan(const bundle::Plan &plan, const std::vector<Section> &sections, DecodeBudget &budget,
                        Plan &out);

// Decodes one function. `plan` has its kernels and locations already.
mxn_status_t decodeFunction(const bundle::Function &function, const Plan &plan, const std::vector<Section> &sections,
                            DecodeBudget &budget, Function &out);

// Decodes the cache groups of a function whose signature and buffers are decoded already.
mxn_status_t decodeCacheGroups(const bundle::Function &function, DecodeBudget &budget, Function &out);

} // namespace mxn::runtime

#endif
