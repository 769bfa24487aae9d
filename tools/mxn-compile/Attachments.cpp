//===- Attachments.cpp - Files that travel with a model -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/mxn-compile/Attachments.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mxn {

static constexpr StringRef kNames[] = {"tokenizer.json",         "tokenizer_config.json", "chat_template.jinja",
                                       "generation_config.json", "config.json",           "special_tokens_map.json"};

static Error refuse(StringRef path, const Twine &why) {
  return createStringError("can't attach " + path + ": " + why + "; --no-attachments leaves such files out");
}

Expected<std::vector<bundle_writer::Attachment>> findAttachments(StringRef model, bool allowLinks) {
  std::vector<bundle_writer::Attachment> found;
  if (model == "-") // the standard input lies beside nothing
    return found;
  for (StringRef name : kNames) {
    SmallString<256> path(sys::path::parent_path(model));
    sys::path::append(path, name);
    sys::fs::file_status status;
    std::error_code code = sys::fs::status(path, status, /*follow=*/false);
    if (code == std::errc::no_such_file_or_directory)
      continue;
    // As for external data: a model from elsewhere must not pull other files of this machine into its bundle.
    if (!code && status.type() == sys::fs::file_type::symlink_file) {
      if (!allowLinks)
        return refuse(path, "it is a symbolic link, which --allow-external-links follows");
      code = sys::fs::status(path, status);
    }
    if (code)
      return refuse(path, code.message());
    if (status.type() != sys::fs::file_type::regular_file)
      return refuse(path, "it isn't a regular file");
    auto file = sys::fs::openNativeFileForRead(path);
    if (!file)
      return refuse(path, toString(file.takeError()));
    sys::fs::closeFile(*file);
    found.push_back({name.str(), path.str().str(), /*tokenizer=*/true});
  }
  return found;
}

} // namespace mxn
