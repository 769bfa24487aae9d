//===- Pad.cpp
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Indexing.h"

namespace mxn {
void addPadHandlers(HandlerRegistry &) {}
} // namespace mxn
