//===- Selection.cpp
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Indexing.h"

namespace mxn {
void addSelectionHandlers(HandlerRegistry &) {}
} // namespace mxn
