//===- WireCut.h - Takes weights out of a serialized model ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_IMPORT_WIRECUT_H
#define MXN_LIB_IMPORT_WIRECUT_H

#include <cstdint>
#include <string>
#include <vector>

namespace mxn::import {

struct CutRange {
  uint64_t offset = 0, length = 0;
};

struct Cut {
  /// The model with each raw_data of at least `threshold` bytes replaced by `data_location: EXTERNAL` and an
  /// external_data location "#<nonce>:<index into ranges>".
  std::string bytes;
  std::vector<CutRange> ranges;
  /// Why the bytes aren't a serialized model, and where; empty on success.
  std::string error;
  uint64_t errorOffset = 0;
};

/// Walks the wire format of a ModelProto. protobuf would copy every weight to the heap and refuses 2 GB and more; what
/// remains after the cut is small. The `nonce` must be something that a file can't foresee.
bool cutWeights(const char *data, uint64_t size, const std::string &nonce, uint64_t threshold, Cut &cut);

} // namespace mxn::import

#endif
