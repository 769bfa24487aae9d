//===- Normalization.cpp
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Handlers.h"

namespace mxn {
void addNormalizationHandlers(HandlerRegistry &) {}
} // namespace mxn
