//===- DataMovement.cpp
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Handlers.h"

namespace mxn {
void addDataMovementHandlers(HandlerRegistry &) {}
} // namespace mxn
