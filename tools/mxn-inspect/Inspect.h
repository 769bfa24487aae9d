// Inspect.h - the views of a bundle that mxn-inspect prints.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_MXN_INSPECT_INSPECT_H
#define MXN_TOOLS_MXN_INSPECT_INSPECT_H

#include "bundle_generated.h"
#include "mxn/Bundle/Format.h"

#include <string>

namespace mxn::tools {

// All of these expect a manifest that the runtime has checked.
void printSummary(const mxn_bundle_header_t &header, const bundle::Manifest &manifest);
void printJson(const mxn_bundle_header_t &header, const bundle::Manifest &manifest);
void printProgram(const bundle::Manifest &manifest);

// A string of the manifest; "" where there is none.
inline std::string text(const flatbuffers::String *string) { return string ? string->str() : ""; }

// Elements of a vector; 0 where there is none.
template <typename T> unsigned count(const flatbuffers::Vector<T> *vector) { return vector ? vector->size() : 0; }

// "x: Float32[n, 4]" of a signature.
std::string describe(const bundle::Tensor &tensor);

} // namespace mxn::tools

#endif
