//===- Attachments.h - Files that travel with a model ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_MXN_COMPILE_ATTACHMENTS_H
#define MXN_TOOLS_MXN_COMPILE_ATTACHMENTS_H

#include "lib/Bundle/Writer.h"
#include "llvm/Support/Error.h"

namespace mxn {

/// The tokenizer's and the configuration's files that lie beside a model, in an order of their own. One that is there
/// but can't be read is an error, and so is a symbolic link unless `allowLinks`.
llvm::Expected<std::vector<bundle_writer::Attachment>> findAttachments(llvm::StringRef model, bool allowLinks);

} // namespace mxn

#endif
